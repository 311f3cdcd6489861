// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/toolstack.hpp: asks libxl for the facts of a guest and of a
// host, and does the few things to a guest that are neither save nor restore.
//
// A toolstack is one libxl context. Its messages go to the log: warnings and
// errors as warnings, the rest as debug lines.
//
// Threads: a toolstack may be used from any thread; libxl locks inside.
// Blocks:  every call talks to Xen and xenstore; destroy() may take seconds.
// Trust:   xenstore nodes a guest can write are not read; disks are taken from
//          libxl's own tree and from the backends'.

#ifndef LIBTELEPORT_XEN_TOOLSTACK_HPP
#define LIBTELEPORT_XEN_TOOLSTACK_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"
#include "libteleport/xen/guest_seen.hpp"

namespace teleport {

class toolstack {
 public:
  using guest_state = teleport::guest_state;

  /// @error errc::unsupported when this is not a dom0 with a running toolstack
  [[nodiscard]] static result<std::unique_ptr<toolstack>> open();
  toolstack(const toolstack&) = delete;
  toolstack& operator=(const toolstack&) = delete;
  toolstack(toolstack&&) = delete;
  toolstack& operator=(toolstack&&) = delete;
  ~toolstack();

  /// All about one guest.
  ///
  /// @param name_or_id  a name, or a domid in decimal
  /// @error errc::not_found; errc::unsupported when libxl has no configuration
  ///        for it (made by another toolstack)
  [[nodiscard]] result<guest_info> describe(const std::string& name_or_id);

  [[nodiscard]] result<host_facts> host();

  [[nodiscard]] result<guest_state> state(std::uint32_t domid);

  /// Every guest there is here, those included that arrive, leave or end.
  [[nodiscard]] result<std::vector<guest_seen>> guests();

  /// Every guest with this uuid: more than one while one arrives on the host it
  /// came from.
  [[nodiscard]] result<std::vector<guest_seen>> find_by_uuid(
      const std::string& uuid) {
    auto found = guests();
    return found ? with_uuid(std::move(*found), uuid) : std::move(found);
  }

  /// The state of the guest with this uuid; of several, the one most alive.
  [[nodiscard]] result<guest_state> state_by_uuid(const std::string& uuid) {
    const auto found = find_by_uuid(uuid);
    return found ? most_alive(*found) : result<guest_state>(found.error());
  }

  /// Resumes a suspended guest where it was.
  ///
  /// @error errc::busy when it is not suspended: nothing was done
  [[nodiscard]] result<void> resume(std::uint32_t domid);

  /// Stops the guest's processors, or lets them run.
  [[nodiscard]] result<void> pause(std::uint32_t domid);
  /// @error errc::busy of unpause() when it is being destroyed
  [[nodiscard]] result<void> unpause(std::uint32_t domid);

  /// May be repeated. Xen may have the domain a moment longer; see
  /// destruction.hpp.
  [[nodiscard]] result<void> destroy(std::uint32_t domid);

  /// @error when the guest is not named `from`, or another is named `to`
  [[nodiscard]] result<void> rename(std::uint32_t domid,
                                    const std::string& from,
                                    const std::string& to);

 private:
  struct state_data;
  explicit toolstack(std::unique_ptr<state_data> data);
  std::unique_ptr<state_data> data_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_TOOLSTACK_HPP

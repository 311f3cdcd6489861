// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_home.hpp: the place in which a guest's disk lies, for
// the disk's whole life: found, grown, set aside under a name from which no
// guest can be started by mistake, filled there, and brought back.
//
// What is done is written once, here. Each kind of place says how, for one
// name, in a class of its own (file_home, volume_home, device_home).
//
// Order for a journal: find_home(), write down place(), set_aside(). Each of
// the two moves may be repeated after a crash at any point.
//
// Threads: any, one at a time for one disk. Blocks: on the disk and on LVM's
// commands.

#ifndef LIBTELEPORT_DISK_DISK_HOME_HPP
#define LIBTELEPORT_DISK_DISK_HOME_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_identity.hpp"
#include "libteleport/disk/disk_kind.hpp"

namespace teleport {

/// What is appended to the name of a disk that was set aside.
inline constexpr std::string_view shadow_suffix = ".teleport-shadow";

/// A disk's names: what a journal or the book of kept disks has of a home.
struct disk_place {
  disk_kind kind = disk_kind::other_device;
  /// What the guest's configuration named: /dev/loopN is dealt anew.
  std::string device;
  /// The file's or the volume's path, from which its guest is started.
  std::string backing;
  /// Where it lies while it is set aside; of another device, the same.
  std::string aside;
};

/// What disks in one place share.
struct disk_space {
  /// For people, and to tell one from another: "volume group vg0".
  std::string pool;
  std::uint64_t free = 0;  ///< bytes
};

class disk_home {
 public:
  /// Which of its names a disk has now. Both: something else came under the
  /// other one, or the kind has one name.
  struct names {
    bool backing = false;
    bool aside = false;
    [[nodiscard]] bool any() const noexcept { return backing || aside; }
  };

  explicit disk_home(disk_place place) : place_(std::move(place)) {}
  disk_home(const disk_home&) = delete;
  disk_home& operator=(const disk_home&) = delete;
  disk_home(disk_home&&) = delete;
  disk_home& operator=(disk_home&&) = delete;
  virtual ~disk_home() = default;

  [[nodiscard]] const disk_place& place() const noexcept { return place_; }

  [[nodiscard]] result<names> found() const;

  /// Which disk it is, under whichever name it has: aside before backing.
  ///
  /// @error errc::not_found; errc::unsupported when it cannot be told
  [[nodiscard]] result<disk_identity> identity() const;

  /// Detaches the loop device and renames the file, or renames the volume.
  /// Succeeds at once when that was done before; another device stays.
  ///
  /// @error errc::busy when the device is still open elsewhere, or the name
  ///        aside is taken: nothing was changed
  [[nodiscard]] result<void> set_aside();

  /// Renames back, and makes the disk usable.
  ///
  /// @return the block device: the same /dev/loopN as before where that is
  ///         free, else another; /dev/VG/LV
  /// @error errc::busy when the old name is taken, or the shadow is in use
  [[nodiscard]] result<std::string> bring_back();

  /// Renames back under a guest that has the disk open as open_aside() gave it;
  /// its device stays.
  ///
  /// @error errc::busy when the old name is taken
  [[nodiscard]] result<void> restore_name();

  /// A block device that gives access to the disk while it is still aside, so
  /// that a teleport can fill it before it is brought back. Its path names the
  /// same device after restore_name().
  [[nodiscard]] result<std::string> open_aside();

  /// Ends open_aside(): detaches its loop device.
  [[nodiscard]] result<void> close_aside();

  /// Deletes the disk and its contents for good, if that is the one that is
  /// meant and nobody has it. A name from which a guest is started is the
  /// caller's to keep away from here.
  ///
  /// @param name   place().backing or place().aside
  /// @param which  disk the name must still name
  /// @error errc::not_found; errc::mismatch when it is another disk; errc::busy
  ///        when a program has it open; errc::refused for a kind that cannot
  ///        be deleted, and for a volume that snapshots hang on
  [[nodiscard]] result<void> remove(const std::string& name,
                                    const disk_identity& which);

  /// Whether remove() can delete it at all.
  [[nodiscard]] virtual bool can_remove() const noexcept = 0;

  /// Whether resize() can give it any other size at all.
  [[nodiscard]] virtual bool can_resize() const noexcept = 0;

  /// Bytes that it has of its pool's space: of an image file with holes or of a
  /// thin volume fewer than its size.
  [[nodiscard]] virtual result<std::uint64_t> held_bytes() const = 0;
  /// The pool from which it takes the rest; none where it never takes any.
  [[nodiscard]] virtual result<std::optional<disk_space>> space() const = 0;
  /// Whether resize() would refuse this size for what it is.
  ///
  /// @error errc::bad_input
  [[nodiscard]] virtual result<void> check_new_size(std::uint64_t size) const;

  /// Does nothing when it has that size. What lies beyond a smaller size is
  /// lost; what a larger one adds may hold anything in a volume, and zeros in a
  /// file. Detaches a loop device; nobody else uses the disk.
  ///
  /// @param size  bytes
  /// @error errc::bad_input for the size; errc::no_space; errc::busy;
  ///        errc::refused when the kind cannot be resized
  [[nodiscard]] result<void> resize(std::uint64_t size);

 protected:
  /// The name that it has now: aside before backing.
  [[nodiscard]] result<std::string> present_name() const;

 private:
  // What a kind does. `name` is backing or aside.
  [[nodiscard]] virtual result<bool> exists(const std::string& name) const = 0;
  [[nodiscard]] virtual result<disk_identity> identify(
      const std::string& name) const;
  /// Moves the name. Never over another.
  [[nodiscard]] virtual result<void> rename(const std::string& from,
                                            const std::string& to) = 0;
  /// @return the block device that gives access to it
  [[nodiscard]] virtual result<std::string> open(const std::string& name) = 0;
  [[nodiscard]] virtual result<void> close(const std::string& name) = 0;
  /// Refuses what a teleport must not write parts of.
  [[nodiscard]] virtual result<void> check_fillable(const std::string& name);
  [[nodiscard]] virtual result<void> resize_at(const std::string& name,
                                               std::uint64_t size) = 0;
  [[nodiscard]] virtual result<void> remove_at(const std::string& name) = 0;

  /// @return whether there is something to rename; done before counts as done
  [[nodiscard]] result<bool> has_to_move(const std::string& from,
                                         const std::string& to) const;
  result<void> move(const std::string& from, const std::string& to);

  disk_place place_;
};

/// The home of the disk that a guest uses; changes nothing.
///
/// @param device  a block device, or a regular file
/// @error errc::not_found; errc::busy when the name aside is taken;
///        errc::unsupported for a name that JSON cannot hold
[[nodiscard]] result<std::unique_ptr<disk_home>> find_home(
    const std::string& device);

/// The home that was found before, from what was written down of it.
///
/// @pre the kind is one of disk_kind_of()
[[nodiscard]] std::unique_ptr<disk_home> home_at(disk_place place);

/// disk_kind_entry::make_home of a class.
template <class Home>
[[nodiscard]] std::unique_ptr<disk_home> make_home(disk_place place) {
  return std::make_unique<Home>(std::move(place));
}

/// The names of a disk before and after it becomes a shadow: those that the
/// disk at `path` may have got.
[[nodiscard]] std::vector<std::string> other_names(const std::string& path);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_HOME_HPP

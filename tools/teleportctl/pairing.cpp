// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/pairing.hpp"

#include <chrono>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/process.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/identity.hpp"

namespace teleport {

namespace {

/// Time for a person to answer ssh's questions.
constexpr std::chrono::minutes ssh_limit{5};

constexpr std::size_t max_pem_bytes = 64_KiB;

}  // namespace

result<void> pair_with(const std::string& destination,
                       const std::string& own_name,
                       const settings& options) {
  if (destination.empty() || destination.front() == '-') {
    return error(errc::bad_input,
                 "'" + destination + "' is not [USER@]HOST as ssh takes it");
  }
  if (own_name.find('\'') != std::string::npos) {
    return error(errc::bad_input, own_name + " is not a host's name");
  }
  const auto made = make_identity(options.keys, own_name);
  if (!made) {
    return made;
  }
  const auto own = read_small_file(options.keys.certificate, max_pem_bytes);
  if (!own) {
    return own.error();
  }
  program_options limits;
  limits.timeout = ssh_limit;
  limits.input = *own;
  limits.max_output = max_pem_bytes;
  // The other host pins the certificate that it reads from standard input, and
  // prints its own.
  const auto theirs =
      run_program({"ssh",
                   "--",
                   destination,
                   "PATH=$PATH:/usr/local/sbin:/usr/sbin teleportctl "
                   "accept-pairing '" +
                       own_name + "'"},
                  limits);
  if (!theirs) {
    return in_context("pairing over ssh with " + destination, theirs.error());
  }
  const auto at = destination.rfind('@');
  const std::string name =
      at == std::string::npos ? destination : destination.substr(at + 1);
  return pin_peer(options.keys.peers, name, *theirs);
}

}  // namespace teleport

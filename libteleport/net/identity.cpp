// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/identity.hpp"

#include <filesystem>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/net/key_pair.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/private_file.hpp"

namespace teleport {

namespace {

result<std::string> path_of_peer(const std::string& folder,
                                 const std::string& name) {
  if (!is_peer_name(name)) {
    return error(errc::bad_input, "'" + name + "' is not a host's name");
  }
  return folder + "/" + name + ".crt";
}

}  // namespace

result<void> make_identity(const key_files& files,
                           const std::string& host_name) {
  std::error_code failure;
  if (std::filesystem::exists(files.certificate, failure) &&
      std::filesystem::exists(files.key, failure)) {
    return check_private(files.key);
  }
  const auto made = make_key_pair(host_name);
  if (!made) {
    return made.error();
  }
  const auto folder =
      make_folders(std::filesystem::path(files.key).parent_path());
  if (!folder) {
    return folder;
  }
  // Writes the key first: a certificate without its key would be shown to
  // peers.
  const auto key_written = write_durably(files.key, made->key, 0600);
  return key_written
             ? rewrite_durably(files.certificate, made->certificate, 0644)
             : key_written;
}

result<pinned_peers> pinned_peers::load(const std::string& folder) {
  pinned_peers peers;
  const auto files = read_peer_files(folder);
  if (!files) {
    return files.error();
  }
  for (const peer_file& one : *files) {
    peers.names_[one.host] = one.name;
    for (const std::string& key : one.keys) {
      peers.hosts_[key] = one.host;
    }
    peers.lower_names_and_hosts_.emplace(in_lower_case(one.name), one.host);
  }
  return peers;
}

std::optional<std::string> pinned_peers::host_of(const std::string& key) const {
  const auto it = hosts_.find(key);
  return it == hosts_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::string> pinned_peers::name_of(
    const std::string& host) const {
  const auto it = names_.find(host);
  return it == names_.end() ? std::nullopt : std::optional(it->second);
}

bool pinned_peers::is_called(const std::string& host,
                             const std::string& name) const {
  return lower_names_and_hosts_.contains({in_lower_case(name), host});
}

result<void> pin_peer(const std::string& folder,
                      const std::string& name,
                      const std::string& pem) {
  const auto path = path_of_peer(folder, name);
  if (!path) {
    return path.error();
  }
  if (pem.size() > max_pem_bytes) {
    return error(errc::bad_input,
                 "the certificate of " + name + " is too long");
  }
  const auto fingerprint = fingerprint_of(pem);
  if (!fingerprint) {
    return in_context("certificate of " + name, fingerprint.error());
  }
  const auto made = make_folders(folder);
  return made ? write_durably(*path, pem, 0644) : made;
}

result<void> unpin_peer(const std::string& folder, const std::string& name) {
  const auto path = path_of_peer(folder, name);
  if (!path) {
    return path.error();
  }
  std::error_code failure;
  if (!std::filesystem::exists(*path, failure)) {
    return error(errc::not_found, "no host is paired as " + name);
  }
  return remove_durably(*path);
}

}  // namespace teleport

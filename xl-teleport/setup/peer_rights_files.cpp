// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/peer_rights_files.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/net/peer_certificates.hpp"
#include "libteleport/net/private_file.hpp"

namespace teleport {

namespace {

result<peer_limits> read_file(const std::string& path) {
  if (const auto own = check_unwritable(path); !own) {
    return own.error();
  }
  const auto text = read_small_file(path, max_pem_bytes);
  return text ? read_peer_limits(*text, path)
              : result<peer_limits>(text.error());
}

}  // namespace

peer_rights rights_of_peer(const std::string& folder, const std::string& key) {
  const auto all = read_peer_files(folder);
  return all ? rights_of_peer(*all, folder, key)
             : peer_rights::nothing("the peer", all.error().context);
}

peer_rights rights_of_peer(const peer_files& all,
                           const std::string& folder,
                           const std::string& key) {
  std::string host;
  std::vector<std::string> paths;
  for (const peer_file& one : all) {
    if (one.host != key) {
      continue;
    }
    host = host.empty() ? one.name : host;
    const auto beside = peer_limit_files(folder, one.name);
    if (!beside) {
      return peer_rights::nothing(one.name, beside.error().context);
    }
    paths.insert(paths.end(), beside->begin(), beside->end());
  }
  if (host.empty()) {
    return peer_rights::nothing("the peer", "it is not paired any more");
  }
  std::ranges::sort(paths);
  std::optional<peer_limits> limits;
  for (const std::string& path : paths) {
    auto read = read_file(path);
    if (!read) {
      return peer_rights::nothing(host, read.error().context);
    }
    if (limits && *limits != *read) {
      return peer_rights::nothing(
          host,
          fmt::format("{} and {} are of one host and differ: remove one",
                      paths.front(),
                      path));
    }
    limits = std::move(*read);
  }
  return limits ? peer_rights(host, paths.front(), std::move(*limits))
                : peer_rights();
}

result<std::string> write_peer_limits(const std::string& folder,
                                      const std::string& name,
                                      const peer_limits& limits) {
  if (!is_peer_name(name)) {
    return error(errc::bad_input, "'" + name + "' is not a host's name");
  }
  std::string path = folder + "/" + name + std::string(limits_extension);
  const auto made = make_folders(folder);
  const auto written =
      made ? write_durably(path, peer_limits_text(limits), 0600) : made;
  return written ? result<std::string>(std::move(path))
                 : result<std::string>(written.error());
}

}  // namespace teleport

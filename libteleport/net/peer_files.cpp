// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/peer_files.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/peer_certificates.hpp"
#include "libteleport/net/private_file.hpp"

namespace teleport {

namespace {

/// Shorter ones would name a host by chance.
constexpr std::size_t least_key_digits = 8;

template <class Wanted>
peer_files those(const peer_files& all, Wanted wanted) {
  peer_files found;
  std::ranges::copy_if(all, std::back_inserter(found), wanted);
  return found;
}

/// A file as it is read, before it is compared with the others.
struct read_file {
  peer_file file;
  bool says_whose = false;
};

result<read_file> read_one(const std::string& path) {
  const auto own = check_unwritable(path);
  const auto text = own ? read_small_file(path, max_pem_bytes)
                        : result<std::string>(own.error());
  auto peer = text ? read_peer_certificates(*text)
                   : result<peer_certificates>(text.error());
  if (!peer) {
    return peer.error();
  }
  read_file read{{std::filesystem::path(path).stem(), peer->first_key, {}},
                 peer->says_whose};
  for (const host_certificate& one : peer->accepted) {
    read.file.keys.push_back(one.key);
  }
  return read;
}

/// Whether two files disagree about whose key one of theirs is: one has it for
/// another host, or the other one's host has renewed it.
bool contradict(const peer_file& a, const peer_file& b) {
  if (a.host == b.host) {
    return false;
  }
  const auto has = [](const peer_file& one, const peer_file& other) {
    return std::ranges::any_of(one.keys, [&](const std::string& key) {
      return accepts(other, key) || key == other.host;
    });
  };
  return has(a, b) || has(b, a);
}

/// Gives a file that does not say whose its key is the host of the one that
/// does.
void name_hosts(std::vector<read_file>& all) {
  for (read_file& one : all) {
    for (const read_file& other : all) {
      if (!one.says_whose && other.says_whose &&
          accepts(other.file, one.file.keys.front())) {
        one.file.host = other.file.host;
      }
    }
  }
}

/// Whether a file has a key that its host, says another file, has no more.
bool is_stale(const read_file& one, const std::vector<read_file>& all) {
  return !one.says_whose &&
         std::ranges::any_of(all, [&](const read_file& other) {
           return other.says_whose && other.file.host == one.file.host &&
                  !accepts(other.file, one.file.keys.front());
         });
}

}  // namespace

bool is_peer_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '.' &&
         name.front() != '-' && std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == ':' ||
                  c == '_' || c == '%';
         });
}

std::string in_lower_case(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

result<peer_files> read_peer_files(const std::string& folder) {
  peer_files all;
  const auto files = files_in(folder, ".crt");
  if (!files && files.error().code == errc::not_found) {
    return all;
  }
  if (!files) {
    return in_context("peers", files.error());
  }
  // Who writes there is whoever is paired.
  const auto own = check_unwritable_folder(folder);
  if (!own) {
    return in_context("peers", own.error());
  }
  std::vector<read_file> read;
  for (const std::string& path : *files) {
    auto one = read_one(path);
    if (one) {
      read.push_back(std::move(*one));
    } else {
      log_warning("peer " + path + " is left out: " + one.error().context);
    }
  }
  name_hosts(read);
  for (const read_file& one : read) {
    if (is_stale(one, read)) {
      log_warning("peer " + one.file.name +
                  " is left out: its host has another key now");
    } else if (std::ranges::any_of(read, [&](const read_file& other) {
                 return contradict(one.file, other.file);
               })) {
      log_warning("peer " + one.file.name +
                  " is left out: another file has its key for another host");
    } else {
      all.push_back(one.file);
    }
  }
  std::ranges::sort(all, {}, &peer_file::name);
  return all;
}

bool accepts(const peer_file& one, const std::string& key) {
  return std::ranges::find(one.keys, key) != one.keys.end();
}

peer_files others_called(const peer_files& all,
                         const std::string& name,
                         const std::string& key) {
  const std::string lower = in_lower_case(name);
  return those(all, [&](const peer_file& one) {
    return in_lower_case(one.name) == lower && !accepts(one, key);
  });
}

peer_files files_of_host(const peer_files& all, const std::string& name) {
  const auto named = std::ranges::find(all, name, &peer_file::name);
  if (named != all.end()) {
    return those(all,
                 [&](const peer_file& one) { return one.host == named->host; });
  }
  const bool is_key =
      name.size() >= least_key_digits &&
      name.find_first_not_of("0123456789abcdef") == std::string::npos;
  const auto begins = [&](const std::string& key) {
    return is_key && key.starts_with(name);
  };
  std::set<std::string> hosts;
  for (const peer_file& one : all) {
    if (begins(one.host) || std::ranges::any_of(one.keys, begins)) {
      hosts.insert(one.host);
    }
  }
  return those(all,
               [&](const peer_file& one) { return hosts.contains(one.host); });
}

result<std::vector<std::string>> peer_limit_files(const std::string& folder,
                                                  const std::string& name) {
  auto files = files_in(folder, limits_extension);
  if (!files && files.error().code == errc::not_found) {
    return std::vector<std::string>();
  }
  if (files) {
    std::erase_if(*files, [&](const std::string& path) {
      return in_lower_case(std::filesystem::path(path).stem()) !=
             in_lower_case(name);
    });
  }
  return files;
}

result<peer_files> remove_peer(const std::string& folder,
                               const std::string& name) {
  const auto all = read_peer_files(folder);
  if (!all) {
    return all.error();
  }
  auto found = files_of_host(*all, name);
  if (found.empty()) {
    // A file that is no certificate lets nobody in, and can go, too.
    found.push_back({name, "", {}});
  }
  for (const peer_file& one : found) {
    auto removed = unpin_peer(folder, one.name);
    const auto limits = peer_limit_files(folder, one.name);
    if (removed && !limits) {
      removed = limits.error();
    }
    for (std::size_t i = 0; removed && i < limits->size(); ++i) {
      removed = remove_durably((*limits)[i]);
    }
    if (!removed) {
      return removed.error();
    }
  }
  return found;
}

}  // namespace teleport

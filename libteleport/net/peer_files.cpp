// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/peer_files.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/net/identity.hpp"

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
  for (const std::string& file : *files) {
    const auto pem = read_small_file(file, max_pem_bytes);
    const auto key =
        pem ? fingerprint_of(*pem) : result<std::string>(pem.error());
    if (key) {
      all.push_back({std::filesystem::path(file).stem(), *key});
    } else {
      log_warning("peer " + file + " is left out: " + key.error().context);
    }
  }
  std::ranges::sort(all, {}, &peer_file::name);
  return all;
}

peer_files others_called(const peer_files& all,
                         const std::string& name,
                         const std::string& key) {
  const std::string lower = in_lower_case(name);
  return those(all, [&](const peer_file& one) {
    return in_lower_case(one.name) == lower && one.key != key;
  });
}

peer_files files_of_host(const peer_files& all, const std::string& name) {
  const auto named = std::ranges::find(all, name, &peer_file::name);
  if (named != all.end()) {
    return those(all,
                 [&](const peer_file& one) { return one.key == named->key; });
  }
  const bool is_key =
      name.size() >= least_key_digits &&
      name.find_first_not_of("0123456789abcdef") == std::string::npos;
  return those(all, [&](const peer_file& one) {
    return is_key && one.key.starts_with(name);
  });
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

result<peer_files> add_peer(const std::string& folder,
                            const std::string& name,
                            const std::string& pem,
                            bool replace) {
  const auto key = fingerprint_of(pem);
  if (!key) {
    return in_context("certificate of " + name, key.error());
  }
  const auto all = read_peer_files(folder);
  if (!all) {
    return all.error();
  }
  auto others = others_called(*all, name, *key);
  if (!others.empty() && !replace) {
    return error(errc::refused,
                 name + " is paired with another key, " + others.front().key +
                     ", and not with this one, " + *key);
  }
  const auto pinned = pin_peer(folder, name, pem);
  if (!pinned) {
    return pinned.error();
  }
  for (const peer_file& other : others) {
    const auto removed =
        other.name == name ? result<void>() : unpin_peer(folder, other.name);
    if (!removed) {
      return removed.error();
    }
  }
  return others;
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
    found.push_back({name, ""});
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

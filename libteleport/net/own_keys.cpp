// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/own_keys.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/net/key_pair.hpp"

namespace teleport {

namespace {

std::string next_file(const key_files& files) {
  return files.key + ".next";
}

std::string past_file(const key_files& files) {
  return files.certificate + ".past";
}

bool is_there(const std::string& path) {
  std::error_code failure;
  return std::filesystem::exists(path, failure);
}

result<host_certificate> first_certificate(const std::string& pem,
                                           const std::string& path) {
  auto all = read_certificates(pem);
  return all ? result<host_certificate>(std::move(all->front()))
             : in_context(path, all.error());
}

result<std::vector<host_certificate>> read_past(const key_files& files) {
  const std::string path = past_file(files);
  if (!is_there(path)) {
    return std::vector<host_certificate>();
  }
  const auto text = read_small_file(path, max_pem_bytes);
  if (!text) {
    return text.error();
  }
  auto all = read_certificates(*text, most_past_keys);
  return all ? std::move(all) : in_context(path, all.error());
}

}  // namespace

std::vector<host_certificate> own_keys::accepted() const {
  std::vector<host_certificate> all = {present};
  if (next) {
    all.push_back(*next);
  }
  return all;
}

result<own_keys> read_own_keys(const key_files& files) {
  const auto pair = read_key_pair(files.key, files.certificate);
  auto present = pair ? first_certificate(pair->certificate, files.certificate)
                      : result<host_certificate>(pair.error());
  auto past = read_past(files);
  if (!present || !past) {
    return present ? past.error() : present.error();
  }
  own_keys keys{std::move(*present)};
  if (is_there(next_file(files))) {
    const auto made = read_key_pair(next_file(files), "");
    auto next = made ? first_certificate(made->certificate, next_file(files))
                     : result<host_certificate>(made.error());
    if (!next) {
      return next.error();
    }
    if (next->key != keys.present.key) {
      keys.next = std::move(*next);
    }
  }
  // The switch writes it before the key.
  std::erase_if(*past, [&](const host_certificate& one) {
    return one.key == keys.present.key;
  });
  keys.past = std::move(*past);
  return keys;
}

key_files next_key_files(const key_files& files) {
  key_files next = files;
  next.key = next_file(files);
  return next;
}

result<void> make_next_key(const key_files& files,
                           const std::string& host_name) {
  if (is_there(next_file(files))) {
    return {};
  }
  const auto made = make_key_pair(host_name);
  return made ? write_durably(next_file(files), text_of(*made), 0600)
              : result<void>(made.error());
}

result<void> use_next_key(const key_files& files) {
  auto keys = read_own_keys(files);
  if (!keys) {
    return keys.error();
  }
  auto past = std::move(keys->past);
  past.insert(past.begin(), keys->present);
  past.resize(std::min(past.size(), most_past_keys));
  const auto noted = rewrite_durably(past_file(files), pem_of(past), 0644);
  const auto text = noted ? read_small_file(next_file(files), max_pem_bytes)
                          : result<std::string>(noted.error());
  if (!text) {
    return text.error();
  }
  // One file with the certificate, too: no moment has one without the other.
  const auto switched = write_durably(files.key, *text, 0600);
  return switched ? finish_switch(files) : switched;
}

result<void> finish_switch(const key_files& files) {
  const auto keys = read_own_keys(files);
  if (!keys) {
    return keys.error();
  }
  const auto shown = read_small_file(files.certificate, max_pem_bytes);
  const auto fingerprint =
      shown ? fingerprint_of(*shown) : result<std::string>(shown.error());
  if (!fingerprint || *fingerprint != keys->present.key) {
    const auto written =
        rewrite_durably(files.certificate, keys->present.pem, 0644);
    if (!written) {
      return written;
    }
  }
  return keys->next ? result<void>() : remove_durably(next_file(files));
}

result<void> forget_past_keys(const key_files& files) {
  return remove_durably(past_file(files));
}

}  // namespace teleport

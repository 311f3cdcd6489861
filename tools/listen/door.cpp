// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/listen/door.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace teleport {

std::string place_of(const std::string& address) {
  constexpr std::string_view mapped = "::ffff:";
  if (address.starts_with(mapped)) {
    return address.substr(mapped.size());
  }
  in6_addr bytes{};
  const std::string without_zone = address.substr(0, address.find('%'));
  if (::inet_pton(AF_INET6, without_zone.c_str(), &bytes) != 1) {
    return address;
  }
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), 0);
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)::inet_ntop(AF_INET6, &bytes, text.data(), text.size());
  return std::string(text.data()) + "/64";
}

bool door::may_come(const std::string& place, time_point now) {
  if (buckets_.size() >= limits_.addresses && !buckets_.contains(place)) {
    const auto oldest = std::ranges::min_element(
        buckets_, {}, [](const auto& one) { return one.second.seen; });
    buckets_.erase(oldest);
  }
  const auto [found, is_new] =
      buckets_.try_emplace(place, bucket{limits_.burst, now});
  bucket& its = found->second;
  const std::chrono::duration<double> since = now - its.seen;
  its.left = std::min(limits_.burst, its.left + since.count() * limits_.rate);
  its.seen = now;
  if (its.left < 1) {
    return false;
  }
  its.left -= 1;
  return true;
}

door::arrival door::on_arrival(const std::string& address, time_point now) {
  const std::string place = place_of(address);
  arrival next;
  if (!may_come(place, now)) {
    return next;
  }
  const auto is_of_place = [&place](const auto& one) {
    return one.second == place;
  };
  const auto of_place =
      static_cast<std::size_t>(std::ranges::count_if(strangers_, is_of_place));
  auto oldest = strangers_.end();
  if (of_place >= limits_.strangers_of_address) {
    oldest = std::ranges::find_if(strangers_, is_of_place);
  } else if (strangers_.size() >= limits_.strangers) {
    oldest = strangers_.begin();
  }
  if (oldest != strangers_.end()) {
    next.dropped.push_back(oldest->first);
    strangers_.erase(oldest);
  }
  next.number = next_++;
  strangers_.emplace(*next.number, place);
  return next;
}

void door::on_known(visitor number) {
  const auto stranger = strangers_.find(number);
  if (stranger == strangers_.end()) {
    return;  // it was dropped meanwhile
  }
  // A paired host may come as often as it likes: an evacuation asks for each
  // guest.
  if (const auto its = buckets_.find(stranger->second); its != buckets_.end()) {
    its->second.left = std::min(limits_.burst, its->second.left + 1);
  }
  strangers_.erase(stranger);
}

}  // namespace teleport

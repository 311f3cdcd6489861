// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/digest_account.hpp"

#include <fmt/format.h>

namespace teleport {

std::string digest_account::text() const {
  return fmt::format(
      "{} blocks by their digests: {} as they then were, {} otherwise, {} "
      "never brought",
      named_,
      true_,
      untrue_,
      named_ - true_ - untrue_);
}

}  // namespace teleport

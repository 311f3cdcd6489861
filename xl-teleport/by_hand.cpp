// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/by_hand.hpp"

namespace teleport {

bool is_confirmed(const std::string& warning,
                  const std::string& phrase,
                  bool yes,
                  bool terminal,
                  std::istream& in,
                  std::ostream& out) {
  out << "xl teleport: " << warning << '\n';
  if (yes) {
    return true;
  }
  if (!terminal) {
    out << "xl teleport: nobody can be asked here: say --yes, if it is so\n";
    return false;
  }
  out << "Type '" << phrase << "' if it is so: " << std::flush;
  std::string line;
  std::getline(in, line);
  if (line == phrase) {
    return true;
  }
  out << "xl teleport: nothing was done\n";
  return false;
}

}  // namespace teleport

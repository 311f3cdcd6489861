// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/guests_page.cpp: see guests_page.hpp.

#include "test/support/guests_page.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "libteleport/xen/config_rules.hpp"
#include "test/support/marked_part.hpp"

namespace teleport {
namespace {

using enum member_rule;

constexpr std::string_view begin = "=for comment members: from the code\n\n";
constexpr std::string_view end = "=for comment members: end\n";

/// Members of several rules with which the same is done.
struct group {
  std::string_view title;
  std::string_view text;
  std::span<const member_rule> rules;
};

constexpr std::array<member_rule, 7> values{
    number, flag, word, address, text, name, plain};
constexpr std::array<member_rule, 2> emulated{serial, pointer};
constexpr std::array<member_rule, 2> paths{boot_file, script};
constexpr std::array<member_rule, 2> hosts{of_host, dom0};
constexpr std::array<member_rule, 1> never{refused};

constexpr std::array<group, 5> groups{{
    {"Carried as they are",
     "Each is checked for its kind: a number, a truth value, a word, an\n"
     "address, a text without control characters.",
     values},
    {"Carried with some values",
     "A serial line is C<pty>, a pointing device C<tablet>, C<mouse> or\n"
     "C<keyboard>.",
     emulated},
    {"Carried if the destination lists the path",
     "By B<boot_files> and B<nic_scripts> of the section B<[arrivals]> in\n"
     "F</etc/xen/teleport.conf> there.",
     paths},
    {"Left out: the destination's own hold",
     "They say something of the host that the guest was on.",
     hosts},
    {"Refused unless they are off or empty",
     "The teleport ends before anything moves, and names the option.",
     never},
}};

/// "c_info.type": where libxl's JSON has it; "disks[].vdev" of a list.
void collect(std::span<const config_member> members,
             const std::string& place,
             const group& wanted,
             std::set<std::string>& found) {
  for (const config_member& member : members) {
    const std::string here = place + std::string(member.name);
    const bool many = member.rule == list || member.rule == disks;
    collect(member.members, here + (many ? "[]." : "."), wanted, found);
    if (std::ranges::find(wanted.rules, member.rule) != wanted.rules.end()) {
      found.insert(wanted.rules.data() == never.data() && !member.option.empty()
                       ? std::string(member.option)
                       : here);
    }
  }
}

/// A POD paragraph in lines of at most 78 bytes.
std::string paragraph(const std::set<std::string>& words) {
  std::string out;
  std::size_t column = 0;
  for (const std::string& word : words) {
    const std::string item =
        "C<" + word + ">" + (word == *words.rbegin() ? "" : ",");
    if (column != 0 && column + 1 + item.size() > 78) {
      out += '\n';
      column = 0;
    } else if (column != 0) {
      out += ' ';
      ++column;
    }
    out += item;
    column += item.size();
  }
  return out + "\n\n";
}

}  // namespace

std::string members_by_rule() {
  std::string out = "=over 4\n\n";
  for (const group& one : groups) {
    std::set<std::string> found;
    collect(config_members(), "", one, found);
    out += "=item " + std::string(one.title) + "\n\n" + std::string(one.text) +
           "\n\n" + paragraph(found);
  }
  return out + "=back\n\n";
}

std::string members_in(const std::string& page) {
  return marked_part(page, begin, end);
}

std::string with_members(std::string page) {
  return with_marked_part(std::move(page), begin, end, members_by_rule());
}

}  // namespace teleport

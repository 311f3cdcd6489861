// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/start_config_test.cpp: of the file that a guest brings along
// nothing reaches xl here but what is a guest's own.

#include "libteleport/xen/start_config.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "libteleport/xen/start_options.hpp"
#include "libteleport/xen/xl_assignments.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

guest_info offered() {
  guest_info guest;
  guest.name = "web1";
  guest.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  guest.type = "pvh";
  guest.max_memory_kib = 1025 * 1024;  // libxl's slack of a MiB included
  guest.vcpus = 4;
  return guest;
}

start_config build(const std::string& text) {
  auto built = build_start_config(text, offered(), default_arrival_rules());
  REQUIRE(built);
  return std::move(*built);
}

/// "none" where the option is not in the file.
std::string value_in(const start_config& built, const std::string& key) {
  const auto read = read_xl_assignments(built.text);
  REQUIRE(read);
  const auto found = std::ranges::find(*read, key, &xl_assignment::key);
  if (found == read->end()) {
    return "none";
  }
  std::string value = found->value.text;
  for (const xl_value& entry : found->value.entries) {
    value += "[" + entry.text + "]";
  }
  return value;
}

/// As it would look that an attacker wants to have it.
std::string value_for(const start_option& option) {
  switch (option.rule) {
    case member_rule::list:
      return "[ 'script=/tmp/evil,backend=elsewhere,tap=1' ]";
    default:
      return "'/tmp/evil;$(x)'";
  }
}

}  // namespace

TEST_CASE("xl's language is read as xl reads it", "[start_config]") {
  const auto read = read_xl_assignments(
      "a = 1; b='x\\'y\\\\' # c = 2\n"
      "l = [ 'p', # one\n \"q\",\n]\n a = 0x1f\nl += [ 'r' ]\n e = []\n"
      "h = '\\x41\\102\\n'\n");
  REQUIRE(read);
  REQUIRE(read->size() == 5);
  CHECK((*read)[0].value == xl_value{xl_value::kind::number, "0x1f"});
  CHECK((*read)[1].value.text == "x'y\\");
  CHECK((*read)[2].value.entries.size() == 3);
  CHECK((*read)[2].value.entries[2].text == "r");
  CHECK((*read)[3].value.is == xl_value::kind::list);
  CHECK((*read)[4].value.text == "AB\n");
}

TEST_CASE("what xl does not read is refused with its line", "[start_config]") {
  for (const char* text : {"\n\na = b",
                           "\n\na",
                           "\n\nA = 1",
                           "\n\na = 'x",
                           "\n\na = 'x\n'",
                           "\n\na = [ 'x' 'y' ]",
                           "\n\na = [ 'x'",
                           "\n\na = 1 b = 2",
                           "\n\na = '\\q'",
                           "\n\na = 1\r",
                           "\n\na = 1; a += ['x']",
                           "\n\na = [[[[[ 1 ]]]]]"}) {
    INFO(text);
    const auto read = read_xl_assignments(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::bad_input);
    CHECK(read.error().context.starts_with("line 3:"));
  }
  std::string many = "a = [";
  for (int i = 0; i < 5000; ++i) {
    many += "1,";
  }
  CHECK_FALSE(read_xl_assignments(many + "]"));
  CHECK_FALSE(read_xl_assignments("a = " + std::string(60000, '[')));
}

TEST_CASE("a guest's own options are in the new file", "[start_config]") {
  const auto built = build(
      "name = 'web1'\nkernel = '/boot/vmlinuz'\nextra = \"root=/dev/xvda ro "
      "quiet's\"\nmemory = '512'\nmaxmem = 1024\nvcpus = 2\n"
      "vif = [ 'mac=00:16:3e:01:02:03, bridge=xenbr0,script=vif-bridge,"
      "rate=10Mb/s@20ms', '' ]\nvfb = [ 'vnc=1,vnclisten=0.0.0.0' ]\n"
      "cpuid = 'host,tm=0'\non_crash = 'preserve'\nusbdevice = ['tablet']\n"
      "serial = 'pty'\nvnc = '1'\ncpu_weight = 512\npool = 'fast'\n"
      "pci = []\nfirmware = 'uefi'\n");
  CHECK(built.left_out.empty());
  CHECK(value_in(built, "kernel") == "/boot/vmlinuz");
  CHECK(value_in(built, "extra") == "root=/dev/xvda ro quiet's");
  CHECK(value_in(built, "memory") == "512");
  CHECK(value_in(built, "maxmem") == "1024");
  CHECK(value_in(built, "vcpus") == "2");
  CHECK(value_in(built, "vif") ==
        "[mac=00:16:3e:01:02:03,bridge=xenbr0,script=vif-bridge,"
        "rate=10Mb/s@20ms][]");
  CHECK(value_in(built, "vfb") == "[vnc=1,vnclisten=0.0.0.0]");
  CHECK(value_in(built, "cpuid") == "host,tm=0");
  CHECK(value_in(built, "usbdevice") == "[tablet]");
  CHECK(value_in(built, "firmware") == "uefi");
  CHECK(value_in(built, "pool") == "none");
  CHECK(value_in(built, "pci") == "none");
}

TEST_CASE("a new file made of a new file is the same", "[start_config]") {
  const auto once = build("extra = 'a\\'b\\\\'\nvif = [ 'mac=1' ]\nhap = 1\n");
  CHECK(build(once.text).text == once.text);
}

TEST_CASE("name, type, memory and processors are those that were offered",
          "[start_config]") {
  const auto built = build(
      "name = 'dom0'\nuuid = '1'\ntype = 'hvm'\nbuilder = 'hvm'\n"
      "memory = 999999\nmaxmem = 9999999\nvcpus = 64\nmaxvcpus = 64\n"
      "disk = [ '/etc/shadow,raw,xvda,r' ]\n");
  CHECK(value_in(built, "name") == "web1");
  CHECK(value_in(built, "type") == "pvh");
  CHECK(value_in(built, "memory") == "1025");
  CHECK(value_in(built, "maxmem") == "1025");
  CHECK(value_in(built, "vcpus") == "4");
  CHECK(value_in(built, "maxvcpus") == "4");
  CHECK(built.text.find("hvm") == std::string::npos);
  CHECK(built.text.find("shadow") == std::string::npos);
  CHECK(value_in(build(""), "memory") == "1025");
}

TEST_CASE("what would be the host's is left out, and named", "[start_config]") {
  const auto built = build(
      "p9 = [ 'tag=x,path=/,security_model=none' ]\n"
      "device_model_override = '/tmp/evil'\ndevice_model_args = [ '-s' ]\n"
      "bootloader = '/tmp/evil'\npci = [ '01:00.0' ]\nunheard_of = 1\n"
      "vif = [ 'bridge=xenbr0,script=/tmp/evil' ]\nserial = 'file:/etc/x'\n"
      "usbdevice = 'host:1.2'\nkernel = '/boot/../tmp/evil'\n"
      "extra = 'a\\nb'\nxendomains = '\\x1b[2J'\n");
  CHECK(built.left_out == std::vector<std::string>{"p9",
                                                   "device_model_override",
                                                   "device_model_args",
                                                   "bootloader",
                                                   "pci",
                                                   "unheard_of",
                                                   "vif.script",
                                                   "serial",
                                                   "usbdevice",
                                                   "kernel",
                                                   "extra",
                                                   "xendomains"});
  CHECK(built.text.find("evil") == std::string::npos);
  CHECK(built.text.find("pci, unheard_of, vif.script") != std::string::npos);
  CHECK(value_in(built, "vif") == "[bridge=xenbr0]");
}

TEST_CASE("no option passes a path or an order on", "[start_config]") {
  for (const start_option& option : start_options()) {
    INFO(option.key);
    const bool is_text = option.rule == member_rule::text;
    const auto built =
        build(std::string(option.key) + " = " + value_for(option) + "\n");
    // The kernel's own command line, passwords and the like: quoted text.
    CHECK((built.text.find("evil") != std::string::npos) == is_text);
    CHECK(built.text.find("elsewhere") == std::string::npos);
  }
}

TEST_CASE("what is told of an endless file is bounded", "[start_config]") {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += "x" + std::to_string(i) + " = 1\n";
  }
  text += std::string(2000, 'y') + " = 1\n";
  const auto built = build(text);
  CHECK(built.left_out.size() == 32);
  CHECK(built.text.size() < 4096);
}

}  // namespace teleport

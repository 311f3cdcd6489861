// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/start_files_test.cpp: the configuration from which a guest is
// started goes along with it, and never over another guest's.

#include "xl-teleport/setup/start_files.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/xl_config.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

const guest_name web1{"web1", "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11"};
constexpr const char* other_uuid = "11111111-1111-4111-8111-111111111111";
const std::vector<start_disk> disks{
    {"xvda", "/dev/vg0/web1", false, false, false},
    {"xvdb", "/img/it's, b.img", true, true, false}};

/// A folder as /etc/xen.
struct xen_folder {
  temp_folder folder;
  start_files files{folder.path()};

  xen_folder() { fs::create_directory(folder / "auto"); }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
  }
  void link(const std::string& name) const {
    fs::create_symlink("../" + name, folder / ("auto/" + name));
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(folder / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return fs::exists(fs::symlink_status(folder / name));
  }
};

std::string config(const std::string& more = "") {
  return "name = \"web1\"\nmemory = 512\ndisk = [ 'phy:/dev/a,xvda,w' ]\n" +
         more;
}

}  // namespace

TEST_CASE("of several assignments the last counts, and comments do not",
          "[start_files]") {
  CHECK(text_value("name = 'a'\n  name=\"b\" # c\n", "name") == "b");
  CHECK(text_value("# name = 'a'\nname_x = 'c'\n", "name") == std::nullopt);
  CHECK(text_value("name = a\nname\nname = 'a", "name") == std::nullopt);
  CHECK(text_value("", "name") == std::nullopt);
}

TEST_CASE("a configuration is its uuid's, or its name's where it has none",
          "[start_files]") {
  CHECK(is_config_of(config(), web1.name, web1.uuid));
  CHECK(is_config_of("uuid = '" + web1.uuid + "'", web1.name, web1.uuid));
  CHECK_FALSE(is_config_of(
      config(std::string("uuid = '") + other_uuid + "'"), "web1", web1.uuid));
  CHECK_FALSE(is_config_of("", web1.name, web1.uuid));
}

TEST_CASE("a section with this host's disks is added once", "[start_files]") {
  const std::string once = with_disks(config(), web1.uuid, disks);
  CHECK(once.starts_with(config()));
  CHECK(without_section(once) == config());
  CHECK(with_disks(once, web1.uuid, disks) == once);
  CHECK(text_value(once, "uuid") == web1.uuid);
  CHECK(once.find("'format=raw, vdev=xvda, access=rw, backendtype=phy, "
                  "target=/dev/vg0/web1',\n") != std::string::npos);
  CHECK(once.find("'format=raw, vdev=xvdb, access=ro, script=block-teleport, "
                  "target=/img/it\\'s, b.img',\n") != std::string::npos);
  // What was cut short is replaced, too.
  CHECK(with_disks(once.substr(0, once.size() - 5), web1.uuid, disks) == once);
}

TEST_CASE("a guest's configuration is found, with its autostart",
          "[start_files]") {
  const xen_folder source;
  CHECK_FALSE(source.files.find(web1));
  source.put("web1.cfg", config(std::string("uuid = '") + other_uuid + "'\n"));
  CHECK_FALSE(source.files.find(web1));
  source.put("site-web.cfg", config());
  auto found = source.files.find(web1);
  REQUIRE(found);
  CHECK(found->text == config());
  CHECK_FALSE(found->autostart);
  source.link("site-web.cfg");
  CHECK(source.files.find(web1)->autostart);
  source.put("web1.cfg", with_disks(config("a = 1\n"), web1.uuid, disks));
  found = source.files.find(web1);
  CHECK(found->text == config("a = 1\n"));
  CHECK(found->autostart);
}

TEST_CASE("an arrived guest is started by this host", "[start_files]") {
  const xen_folder there;
  for (int i = 0; i < 2; ++i) {  // it may be repeated
    const auto path = there.files.write(web1, {config(), true}, disks);
    REQUIRE(path);
    CHECK(*path == there.folder / "web1.cfg");
    CHECK(there.text("web1.cfg") == with_disks(config(), web1.uuid, disks));
    CHECK(there.text("auto/web1.cfg") == there.text("web1.cfg"));
  }
  REQUIRE(there.files.remove_autostart(web1));
  CHECK_FALSE(there.has("auto/web1.cfg"));
  CHECK(there.has("web1.cfg"));
  REQUIRE(there.files.remove_autostart(web1));
  REQUIRE(there.files.write(web1, {config(), false}, disks));
  CHECK_FALSE(there.has("auto/web1.cfg"));
}

TEST_CASE("what the host's owner wrote stays", "[start_files]") {
  const xen_folder there;
  // At home, with the very disks.
  const std::string own =
      config("# /dev/vg0/web1\n# /img/it's, b.img\nvcpus = 4\n");
  there.put("web1.cfg", own);
  REQUIRE(there.files.write(web1, {config("vcpus = 1\n"), false}, disks));
  CHECK(there.text("web1.cfg") == own);
  // At home, with other disks by now, and the guest's beyond doubt.
  const std::string known = config("vcpus = 4\nuuid = '" + web1.uuid + "'\n");
  there.put("web1.cfg", known);
  REQUIRE(there.files.write(web1, {config("vcpus = 1\n"), false}, disks));
  CHECK(there.text("web1.cfg") == with_disks(known, web1.uuid, disks));
}

TEST_CASE("a configuration is for root alone, or for whom it was",
          "[start_files]") {
  const xen_folder there;
  const std::vector<start_disk> disks{{"xvda", "/img/a", true, false, false}};
  const auto mode = [&] {
    return fs::status(there.folder / "web1.cfg").permissions();
  };
  REQUIRE(there.files.write(web1, {config(), false}, disks));
  CHECK(mode() == fs::perms{0600});
  there.put("web1.cfg", config("uuid = '" + web1.uuid + "'\n"));
  fs::permissions(there.folder / "web1.cfg", fs::perms{0640});
  REQUIRE(there.files.write(web1, {config(), false}, disks));
  CHECK(there.text("web1.cfg").find("/img/a") != std::string::npos);
  CHECK(mode() == fs::perms{0640});
}

TEST_CASE("a configuration that is a link stays one", "[start_files]") {
  const xen_folder there;
  fs::create_directory(there.folder / "kept");
  there.put("kept/web1", config("uuid = '" + web1.uuid + "'\n"));
  fs::create_symlink("kept/web1", there.folder / "web1.cfg");
  REQUIRE(there.files.write(web1, {config(), true}, disks));
  CHECK(fs::is_symlink(fs::symlink_status(there.folder / "web1.cfg")));
  CHECK(there.text("kept/web1") ==
        with_disks(config("uuid = '" + web1.uuid + "'\n"), web1.uuid, disks));
  CHECK(there.text("auto/web1.cfg") == there.text("kept/web1"));
}

TEST_CASE("a configuration that may be another guest's is not written over",
          "[start_files]") {
  const xen_folder there;
  const std::string beside = "web1-" + web1.uuid + ".cfg";
  // No uuid, the name, and disks that only look like the guest's.
  const std::string others =
      config("# '/dev/vg0/web1.old', '/img/it's, b.img'\n");
  there.put("web1.cfg", others);
  there.link("web1.cfg");
  for (int i = 0; i < 2; ++i) {
    const auto path =
        there.files.write(web1, {config("vcpus = 1\n"), true}, disks);
    REQUIRE(path);
    CHECK(*path == there.folder / beside);
    CHECK(there.text("web1.cfg") == others);
    CHECK(there.text("auto/" + beside) ==
          with_disks(config("vcpus = 1\n"), web1.uuid, disks));
  }
  // What is the guest's beyond doubt goes with it.
  CHECK(there.files.find(web1)->text == config("vcpus = 1\n"));
  // Neither name is free.
  there.put(beside, "name = 'db'\n");
  const auto path = there.files.write(web1, {config(), false}, disks);
  REQUIRE_FALSE(path);
  CHECK(path.error().code == errc::refused);
  CHECK(there.text(beside) == "name = 'db'\n");
}

TEST_CASE("a link's name that is another guest's is not needed",
          "[start_files]") {
  const xen_folder there;
  there.put("auto/web1.cfg", "name = 'db'\n");
  REQUIRE(there.files.write(web1, {config(), true}, disks));
  CHECK(there.text("auto/web1.cfg") == "name = 'db'\n");
  CHECK(there.text("auto/web1-" + web1.uuid + ".cfg") ==
        there.text("web1.cfg"));
}

TEST_CASE("another guest's files are left alone", "[start_files]") {
  const xen_folder there;
  const std::string others =
      config(std::string("uuid = '") + other_uuid + "'\n");
  there.put("web1.cfg", others);
  there.link("web1.cfg");
  const auto path = there.files.write(web1, {config(), true}, disks);
  REQUIRE(path);
  CHECK(*path == there.folder / ("web1-" + web1.uuid + ".cfg"));
  CHECK(there.text("web1.cfg") == others);
  CHECK(there.text("auto/web1-" + web1.uuid + ".cfg") ==
        with_disks(config(), web1.uuid, disks));
  REQUIRE(there.files.remove_autostart(web1));
  CHECK(there.has("auto/web1.cfg"));
  CHECK_FALSE(there.has("auto/web1-" + web1.uuid + ".cfg"));
  // A name that is no file's.
  CHECK_FALSE(there.files.write({"-x", web1.uuid}, {config(), true}, disks));
  CHECK_FALSE(there.files.write({"a/b", web1.uuid}, {config(), true}, disks));
}

TEST_CASE("an autostart that is no link is moved where nothing starts it",
          "[start_files]") {
  const xen_folder source;
  source.put("auto/mine.cfg", config());
  CHECK(source.files.find(web1)->autostart);
  REQUIRE(source.files.remove_autostart(web1));
  CHECK_FALSE(source.has("auto/mine.cfg"));
  CHECK(source.text("mine.cfg") == config());
}

TEST_CASE("a configuration that is set aside starts nothing until it is back",
          "[start_files]") {
  const xen_folder there;
  there.put("web1.cfg", config());
  there.put("old", config("uuid = '" + web1.uuid + "'\n"));
  const auto aside = there.files.set_aside(web1, {"/dev/a"});
  REQUIRE(aside);
  CHECK(*aside ==
        std::vector<std::string>{there.folder / "old.teleport-shadow",
                                 there.folder / "web1.cfg.teleport-shadow"});
  CHECK_FALSE(there.has("web1.cfg"));
  CHECK_FALSE(there.has("old"));
  CHECK(there.files.set_aside(web1, {"/dev/a"}).value() == *aside);
  REQUIRE(there.files.bring_back(web1));
  CHECK(there.text("web1.cfg") == config());
  CHECK(there.has("old"));
  CHECK_FALSE(there.has("web1.cfg.teleport-shadow"));
}

TEST_CASE("what may be another guest's is not set aside", "[start_files]") {
  const xen_folder there;
  SECTION("of another uuid") {
    there.put("web1.cfg", config(std::string("uuid = '") + other_uuid + "'"));
  }
  SECTION("of the name, with other disks") {
    there.put("web1.cfg", config());
  }
  SECTION("of another name") {
    there.put("web1.cfg", "name = 'web2'\n");
  }
  const auto aside = there.files.set_aside(web1, {"/dev/b", "/dev/a2"});
  REQUIRE(aside);
  CHECK(aside->empty());
  CHECK(there.has("web1.cfg"));
}

TEST_CASE("a name that is taken is told before the guest leaves",
          "[start_files]") {
  const xen_folder there;
  const std::vector<std::string> disks{"/dev/a"};
  there.put("web1.cfg", config());
  fs::create_symlink("../web1.cfg", there.folder / "auto/web1.cfg");
  CHECK(there.files.check_departure(web1, disks));
  SECTION("of the configuration, set aside") {
    there.put("web1.cfg.teleport-shadow", "another's");
    CHECK(there.files.check_departure(web1, disks).error().code == errc::busy);
    // It keeps its name where the disks do not keep theirs.
    CHECK(there.files.check_departure(web1, std::nullopt));
  }
  SECTION("of an autostart that is no link") {
    fs::remove(there.folder / "auto/web1.cfg");
    there.put("auto/web1.cfg", config());
    CHECK(there.files.check_departure(web1, std::nullopt).error().code ==
          errc::busy);
  }
  SECTION("of that one, set aside") {
    there.put("auto/mine.cfg", config());
    CHECK(there.files.check_departure(web1, disks));
    there.put("mine.cfg.teleport-shadow", "another's");
    CHECK_FALSE(there.files.check_departure(web1, disks));
    CHECK(there.files.check_departure(web1, std::nullopt));
  }
  SECTION("by the guest itself, which has left before") {
    fs::rename(there.folder / "web1.cfg",
               there.folder / "web1.cfg.teleport-shadow");
    CHECK(there.files.check_departure(web1, disks));
  }
}

TEST_CASE("a name that is taken is told before the guest arrives",
          "[start_files]") {
  const xen_folder there;
  const std::string others = config(std::string("uuid = '") + other_uuid + "'");
  const std::string second = "web1-" + web1.uuid + ".cfg";
  there.put("web1.cfg", others);
  CHECK(there.files.check_arrival(web1, {config(), true}, {}));
  SECTION("the configuration's") {
    there.put(second, others);
    CHECK(there.files.check_arrival(web1, {config(), false}, {}).error().code ==
          errc::refused);
    there.put("web1.cfg", config("uuid = '" + web1.uuid + "'\n"));
    CHECK(there.files.check_arrival(web1, {config(), false}, {}));
  }
  SECTION("the link's") {
    there.put("auto/" + second, others);
    CHECK_FALSE(there.files.check_arrival(web1, {config(), true}, {}));
    CHECK(there.files.check_arrival(web1, {config(), false}, {}));
    // The guest's own file starts it already.
    there.put("auto/web1.cfg", config("uuid = '" + web1.uuid + "'\n"));
    CHECK(there.files.check_arrival(web1, {config(), true}, {}));
  }
}

TEST_CASE("neither way goes over a file that is there", "[start_files]") {
  const xen_folder there;
  there.put("web1.cfg", config("# new"));
  there.put("web1.cfg.teleport-shadow", config("# old"));
  CHECK(there.files.set_aside(web1, {"/dev/a"}).error().code == errc::busy);
  CHECK(there.files.bring_back(web1));
  CHECK(there.text("web1.cfg") == config("# new"));
  CHECK(there.text("web1.cfg.teleport-shadow") == config("# old"));
}

}  // namespace teleport

// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/settings_test.cpp: what teleport.conf may say.

#include "xl-teleport/setup/settings.hpp"

#include <fstream>
#include <string>
#include <vector>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

/// What the section [index] with these lines makes of the settings.
result<settings> read_index(const std::string& lines) {
  const temp_folder folder;
  std::ofstream(folder / "conf") << "[index]\n" << lines << '\n';
  return load_settings(folder / "conf", true);
}

}  // namespace

TEST_CASE("an index that nothing is said about holds what is listed", "[cli]") {
  const auto options = read_index("");
  REQUIRE(options);
  CHECK(options->index_donors == donor_choice::listed);
  CHECK(options->index_folders.empty());
  CHECK(options->index_keep_fresh);
  CHECK(options->index_scan_rate == 0);
  CHECK(options->index_quiet == std::chrono::seconds(30));
}

TEST_CASE("the settings of the index are read", "[cli]") {
  const auto options = read_index(
      "donors = 'auto'\n"
      "folders = ['/srv/images/', '/srv/./b', '/srv/x/../images', '/']\n"
      "keep_fresh = false\n"
      "scan_rate = '100 MiB'\n"
      "quiet_seconds = 86400\n");
  REQUIRE(options);
  CHECK(options->index_donors == donor_choice::automatic);
  CHECK(options->index_folders ==
        std::vector<std::string>{"/srv/images", "/srv/b", "/"});
  CHECK_FALSE(options->index_keep_fresh);
  CHECK(options->index_scan_rate == 100_MiB);
  CHECK(options->index_quiet == std::chrono::hours(24));
  CHECK(read_index("donors = 'listed'")->index_donors == donor_choice::listed);
  CHECK(read_index("scan_rate = '0'")->index_scan_rate == 0);
  CHECK(read_index("quiet_seconds = 1")->index_quiet ==
        std::chrono::seconds(1));
}

TEST_CASE("the limits of the history are read", "[cli]") {
  const temp_folder folder;
  const auto read = [&](const std::string& lines) {
    std::ofstream(folder / "conf") << "[history]\n" << lines << '\n';
    return load_settings(folder / "conf", true);
  };
  const auto options = read("days = 7\nentries = 0");
  REQUIRE(options);
  CHECK(options->history.age == std::chrono::days(7));
  CHECK(options->history.entries == 0);
  CHECK(read("")->history.age == std::chrono::days(90));
  CHECK(read("")->history.entries == 1000);
  for (const char* const wrong : {"days = 0", "days = 3651", "days = '7'"}) {
    CHECK_THAT(read(wrong).error().context,
               test::contains_text("a number of days from 1 to 3650"));
  }
  for (const char* const wrong : {"entries = -1", "entries = 20001"}) {
    CHECK_THAT(read(wrong).error().context,
               test::contains_text("a number of jobs from 0 to 20000"));
  }
}

TEST_CASE("the reserve of a store is read", "[cli]") {
  const temp_folder folder;
  const auto read = [&](const std::string& lines) {
    std::ofstream(folder / "teleport.conf") << "[store]\n" << lines << '\n';
    return load_settings(folder / "teleport.conf", true);
  };
  CHECK(read("")->store_reserve == 0);
  CHECK(read("reserve = '10 GiB'")->store_reserve == 10_GiB);
  CHECK(read("reserve = '0'")->store_reserve == 0);
  CHECK_FALSE(read("reserve = 10"));
  CHECK_FALSE(read("reserve = '5%'"));
}

TEST_CASE("a setting of the index that is wrong is named, with what is right",
          "[cli]") {
  struct wrong_setting {
    const char* line;
    const char* expected;
  };
  const wrong_setting wrong[] = {
      {"donors = 'all'", R"('index.donors' must be "listed" or "auto")"},
      {"donors = true", R"("listed" or "auto")"},
      {"folders = '/srv'", "'index.folders' must be a list"},
      {"folders = ['srv']", "a list of absolute paths"},
      {"folders = ['/srv', 1]", "a list of absolute paths"},
      {R"(folders = ["/a\nb"])", "a list of absolute paths"},
      {"keep_fresh = 'yes'", "'index.keep_fresh' must be true or false"},
      {"keep_fresh = 1", "true or false"},
      {"scan_rate = 100", "'index.scan_rate' must be bytes a second"},
      {"scan_rate = '100 MB'", "'index.scan_rate' must be bytes a second"},
      {"scan_rate = '-1'", "bytes a second"},
      {"max_size = 'much'", "'index.max_size' must be a size"},
      {"quiet_seconds = 0", "a number of seconds from 1 to 86400"},
      {"quiet_seconds = 86401", "a number of seconds from 1 to 86400"},
      {"quiet_seconds = '30'", "a number of seconds from 1 to 86400"},
      {"donor = 'auto'", "unknown key 'index.donor'"},
  };
  for (const wrong_setting& one : wrong) {
    const auto refused = read_index(one.line);
    INFO(one.line);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::bad_input);
    CHECK_THAT(refused.error().context, test::contains_text(one.expected));
    CHECK_THAT(refused.error().context, test::contains_text("line 2"));
  }
}

TEST_CASE("the networks of those who may connect are read", "[cli]") {
  const temp_folder folder;
  const auto read = [&](const std::string& value) {
    std::ofstream(folder / "conf") << "[listen]\nfrom = " << value << '\n';
    return load_settings(folder / "conf", true);
  };
  const auto options = read("['10.0.0.0/8', 'fd00::/8', '192.168.7.5']");
  REQUIRE(options);
  CHECK(options->listen_from.contains("::ffff:10.1.2.3"));
  CHECK(options->listen_from.contains("192.168.7.5"));
  CHECK_FALSE(options->listen_from.contains("192.168.7.6"));
  CHECK(settings().listen_from.contains("192.168.7.6"));
  for (const char* wrong : {"'10.0.0.0/8'",
                            "[]",
                            "['10.0.0.1/8']",
                            "[8]",
                            "['10.0.0.0/8', 'everybody']"}) {
    const auto refused = read(wrong);
    REQUIRE_FALSE(refused);
    CHECK(
        refused.error().context ==
        (folder / "conf") +
            " line 2: 'listen.from' must be a list of networks, as "
            R"(["10.0.0.0/8", "fd00::/8"], with no bit behind their lengths)");
  }
}

TEST_CASE("what can never work is refused when it is read", "[cli]") {
  const temp_folder folder;
  const std::string path = folder / "conf";
  struct wrong_file {
    const char* text;
    const char* expected;
  };
  const wrong_file wrong[] = {
      {"[store]\npath = 'images'", "line 1: 'store.path' must be a folder"},
      {"[store]\nkind = 'lvm'", "'store.path' must be the name of a volume gr"},
      {"[store]\nkind = 'lvm'\npath = '/dev/vg0'", "name of a volume group"},
      {"[store]\nkind = 'lvm-thin'\npath = 'vg0'", "'store.pool' must be the"},
      {"[listen]\naddress = 'eth0'", "line 2: 'listen.address' must be an IP"},
      {"[hooks]\nat_gate = 'move-address'", "line 2: 'hooks.at_gate' must be"},
      {"[state]\nrun = 'run'", "'state.run' must be an absolute path"},
      {"[state]\npath = ''", "'state.path' must be an absolute path"},
      {"[debug]\nrecord_stream = 'x'", "'debug.record_stream' must be"},
      {"[foo]", "line 1: unknown section [foo]"},
  };
  for (const wrong_file& one : wrong) {
    std::ofstream(path) << one.text << '\n';
    INFO(one.text);
    const auto refused = load_settings(path, true);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().context, test::contains_text(one.expected));
    CHECK_THAT(refused.error().context, test::contains_text(path));
  }
  std::ofstream(path)
      << "[store]\nkind = 'lvm-thin'\npath = 'vg0'\npool = 'p'\n"
         "[hooks]\nat_gate = ''\n[listen]\naddress = '::1'\n";
  CHECK(load_settings(path, true));
}

TEST_CASE("a configuration that cannot be read is no empty one", "[cli]") {
  const temp_folder folder;
  for (const bool named : {true, false}) {
    const auto refused = load_settings(folder.path(), named);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().context,
               test::contains_text("read the configuration " + folder.path() +
                                   ": Is a directory"));
  }
  const auto missing = load_settings(folder / "none", true);
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().context,
             test::contains_text("none: No such file or directory"));
  CHECK(load_settings(folder / "none", false));
}

}  // namespace teleport

// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/private_file_test.cpp: who can be read by others is nobody.

#include "libteleport/net/private_file.hpp"

#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ssl.hpp>

#include "libteleport/net/identity.hpp"
#include "libteleport/net/tls_context.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("a key that others may read or write is not used", "[net][key]") {
  const temp_folder folder;
  const key_files files{
      folder.path() + "/host.crt", folder.path() + "/host.key", folder.path()};
  REQUIRE(make_identity(files, "host1"));
  REQUIRE(check_private(files.key));
  const ::mode_t mode = GENERATE(0644U, 0640U, 0604U, 0620U);
  REQUIRE(::chmod(files.key.c_str(), mode) == 0);
  const auto checked = check_private(files.key);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().context.find("'chmod 600 " + files.key + "'") !=
        std::string::npos);
  CHECK_FALSE(make_identity(files, "host1"));
  CHECK_FALSE(make_tls_context(files, boost::asio::ssl::context::tls_server));
  REQUIRE(::chmod(files.key.c_str(), 0600) == 0);
  CHECK(make_identity(files, "host1"));
  CHECK(make_tls_context(files, boost::asio::ssl::context::tls_server));
}

TEST_CASE("another user's key is not used", "[net][key]") {
  if (::geteuid() != 0) {
    return;
  }
  const temp_folder folder;
  const key_files files{
      folder.path() + "/host.crt", folder.path() + "/host.key", folder.path()};
  REQUIRE(make_identity(files, "host1"));
  REQUIRE(::chown(files.key.c_str(), 1000, 0) == 0);
  const auto checked = check_private(files.key);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().context.find("belongs to user 1000") !=
        std::string::npos);
}

TEST_CASE("a file that others may write is told from one that they may read",
          "[net][key]") {
  const temp_folder folder;
  const std::string path = folder / "host3.conf";
  CHECK_FALSE(check_unwritable(path));
  std::ofstream(path) << "text";
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(check_unwritable(path));
  const ::mode_t mode = GENERATE(0620U, 0602U, 0666U);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  const auto checked = check_unwritable(path);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().context.find("'chmod 600 " + path + "'") !=
        std::string::npos);
}

}  // namespace teleport

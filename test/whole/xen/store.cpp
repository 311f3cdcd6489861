// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/whole/xen/store.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace teleport::whole {

namespace {

namespace fs = std::filesystem;

constexpr const char* root = "/run/fake-xen/store";
/// No node of Xen's has such a name.
constexpr const char* value_name = "/.value";

}  // namespace

std::string store_folder(const std::string& node) {
  return root + node;
}

std::optional<std::string> read_node(const std::string& node) {
  std::ifstream in(store_folder(node) + value_name, std::ios::binary);
  if (!in) {
    return std::nullopt;
  }
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> list_nodes(const std::string& node) {
  std::vector<std::string> names;
  std::error_code nothing_there;
  for (const auto& one :
       fs::directory_iterator(store_folder(node), nothing_there)) {
    if (one.is_directory()) {
      names.push_back(one.path().filename());
    }
  }
  return names;
}

void write_node(const std::string& node, const std::string& value) {
  fs::create_directories(store_folder(node));
  const std::string file = store_folder(node) + value_name;
  std::ofstream out(file + ".new", std::ios::binary | std::ios::trunc);
  out << value;
  out.close();
  if (!out) {
    throw std::runtime_error("cannot write " + file);
  }
  fs::rename(file + ".new", file);
}

void remove_node(const std::string& node) {
  fs::remove_all(store_folder(node));
}

std::string shutdown_node(unsigned domid) {
  return "/local/domain/" + std::to_string(domid) + "/control/shutdown";
}

}  // namespace teleport::whole

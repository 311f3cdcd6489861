// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/store.hpp: the false xenstore's nodes: a folder each, its
// value in a file in it. The caller of a writing function holds lock_world().

#ifndef TEST_WHOLE_XEN_STORE_HPP
#define TEST_WHOLE_XEN_STORE_HPP

#include <optional>
#include <string>
#include <vector>

namespace teleport::whole {

/// The folder of a node, made or not; for watches.
[[nodiscard]] std::string store_folder(const std::string& node);

[[nodiscard]] std::optional<std::string> read_node(const std::string& node);
[[nodiscard]] std::vector<std::string> list_nodes(const std::string& node);
void write_node(const std::string& node, const std::string& value);
void remove_node(const std::string& node);

/// Where a guest is asked to suspend or to shut down.
[[nodiscard]] std::string shutdown_node(unsigned domid);

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_STORE_HPP

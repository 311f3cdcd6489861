// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/approx.hpp: Approx of Catch2, which is in a header and namespace
// of its own from version 3 on.

#ifndef TELEPORT_TEST_SUPPORT_APPROX_HPP
#define TELEPORT_TEST_SUPPORT_APPROX_HPP

#include "test/support/catch.hpp"

#if __has_include(<catch2/catch_approx.hpp>)
#include <catch2/catch_approx.hpp>
using Catch::Approx;
#endif

#endif  // TELEPORT_TEST_SUPPORT_APPROX_HPP

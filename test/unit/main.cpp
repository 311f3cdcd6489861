// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/main.cpp: Catch2's main and nothing else (it takes long to
// compile).

#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

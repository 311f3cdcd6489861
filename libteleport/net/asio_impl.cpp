// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/asio_impl.cpp: Asio's own code, compiled once.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>

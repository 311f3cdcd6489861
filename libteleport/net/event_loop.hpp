// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/event_loop.hpp: the one thread that owns sockets and state
// machines, and the pool that does what blocks.
//
// Threads: run() is the loop's thread; every callback runs there. post() and
// work() may be called from any thread; all else on the loop's thread.

#ifndef LIBTELEPORT_NET_EVENT_LOOP_HPP
#define LIBTELEPORT_NET_EVENT_LOOP_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/version.hpp>

// 1.74 lacks what this needs, and does not compile with g++ 12.
static_assert(BOOST_VERSION >= 108100, "install libboost1.81-dev");

namespace teleport {

/// Calls back once after a time; cancelled when it goes. Movable.
class timer {
 public:
  timer() = default;

  /// True from event_loop::after() until this is replaced, also once it has
  /// called back.
  explicit operator bool() const noexcept { return timer_ != nullptr; }

 private:
  friend class event_loop;
  explicit timer(std::shared_ptr<boost::asio::steady_timer> asio_timer)
      : timer_(std::move(asio_timer), cancel{}) {}
  struct cancel {
    using pointer = std::shared_ptr<boost::asio::steady_timer>;
    void operator()(const pointer& asio_timer) const { asio_timer->cancel(); }
  };
  std::unique_ptr<boost::asio::steady_timer, cancel> timer_;
};

class event_loop {
 public:
  /// @param workers  threads of the pool
  explicit event_loop(unsigned workers);
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  event_loop(event_loop&&) = delete;
  event_loop& operator=(event_loop&&) = delete;
  ~event_loop();

  /// Runs callbacks until stop(); may be called again after that.
  void run();
  void stop();
  /// Waits for the pool's work under way; what it would call back is dropped.
  /// Call after run(), before what the work refers to goes.
  void join();

  /// Runs `task` in the loop.
  template <class Task>
  void post(Task task) {
    boost::asio::post(context_, std::move(task));
  }

  /// Runs `work` on the pool, then `done(what it returned)` in the loop.
  template <class Work, class Done>
  void work(Work work, Done done) {
    run_on(pool_, std::move(work), std::move(done));
  }

  /// The same on a thread of its own, which waits for no job of the pool's:
  /// for what a suspended guest waits for. One job at a time; called on the
  /// loop's thread alone.
  template <class Work, class Done>
  void work_apart(Work work, Done done) {
    if (!apart_) {
      apart_.emplace(1);
    }
    run_on(*apart_, std::move(work), std::move(done));
  }

  [[nodiscard]] timer after(std::chrono::milliseconds delay,
                            std::function<void()> task);

  /// Calls `task` on each SIGINT, SIGTERM or SIGHUP; on the last not where our
  /// parent has it ignored (nohup).
  void on_stop_signal(std::function<void(int signal)> task);

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

 private:
  void wait_for_signal();
  template <class Work, class Done>
  void run_on(boost::asio::thread_pool& threads, Work work, Done done) {
    boost::asio::post(
        threads,
        [this, work = std::move(work), done = std::move(done)]() mutable {
          auto outcome = std::make_shared<decltype(work())>(work());
          boost::asio::post(
              context_,
              [outcome = std::move(outcome), done = std::move(done)]() mutable {
                done(std::move(*outcome));
              });
        });
  }

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
      guard_{context_.get_executor()};
  boost::asio::thread_pool pool_;
  std::optional<boost::asio::thread_pool> apart_;  ///< once it is needed
  boost::asio::signal_set signals_{context_};
  std::function<void(int)> signal_task_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_EVENT_LOOP_HPP

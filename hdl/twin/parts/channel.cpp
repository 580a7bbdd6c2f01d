// SPDX-License-Identifier: Apache-2.0
#include "channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace twin {
namespace {

constexpr size_t HeaderOctets = 5;  // Kind, u32 length.

bool is_transient() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

bool Channel::poll(int wait_ms) {
  if (wait_ms != 0) {
    pollfd waiting_for{file_, static_cast<short>(POLLIN | (waiting() ? POLLOUT : 0)), 0};
    ::poll(&waiting_for, 1, wait_ms);
  }
  if (used_ != 0) {
    in_.erase(in_.begin(), in_.begin() + static_cast<long>(used_));
    used_ = 0;
  }
  uint8_t buffer[1 << 16];
  const ssize_t got = recv(file_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got > 0) in_.insert(in_.end(), buffer, buffer + got);
  else if (got == 0 || !is_transient()) is_open_ = false;
  flush();
  return is_open_;
}

bool Channel::take(Message& message) {
  if (in_.size() - used_ < HeaderOctets) return false;
  const uint8_t* head = in_.data() + used_;
  uint32_t length;
  std::memcpy(&length, head + 1, sizeof length);
  if (in_.size() - used_ - HeaderOctets < length) return false;
  message.kind = static_cast<Kind>(head[0]);
  message.octets.assign(head + HeaderOctets, head + HeaderOctets + length);
  used_ += HeaderOctets + length;
  return true;
}

void Channel::send(Kind kind, const void* octets, size_t count) {
  const uint32_t length = static_cast<uint32_t>(count);
  uint8_t head[HeaderOctets] = {static_cast<uint8_t>(kind)};
  std::memcpy(head + 1, &length, sizeof length);
  out_.insert(out_.end(), head, head + HeaderOctets);
  const auto* first = static_cast<const uint8_t*>(octets);
  out_.insert(out_.end(), first, first + count);
}

void Channel::flush() {
  while (is_open_ && waiting() != 0) {
    const ssize_t done = ::send(file_, out_.data() + sent_, waiting(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0) {
      if (errno == EINTR) continue;
      if (!is_transient()) is_open_ = false;
      return;
    }
    sent_ += static_cast<size_t>(done);
  }
  out_.clear();
  sent_ = 0;
}

}  // namespace twin

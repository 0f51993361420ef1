#include "serve/control/control_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "serve/cache/testing/cache_folder.h"

namespace ergo::serve {
namespace {

using ::testing::HasSubstr;

TEST(ControlSocket, AnswersALine) {
  const testing::CacheFolder folder;
  const std::filesystem::path place = folder.path() + "/run";
  {
    const auto socket = ControlSocket::Open(
        place, "8080", [](std::string_view line) { return "you said " + std::string(line); });
    ASSERT_TRUE(socket) << socket.error().Message();
    const auto found = FindControls(place);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(*AskControl(found[0], "status"), "you said status");
    EXPECT_EQ(*AskControl(found[0], "stop"), "you said stop");
    struct stat what {};
    ASSERT_EQ(::stat(place.c_str(), &what), 0);
    EXPECT_EQ(what.st_mode & 0777, 0700U);
    const auto second = ControlSocket::Open(place, "8080", [](std::string_view) { return ""; });
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().Message(), HasSubstr("another server"));
  }
  EXPECT_TRUE(FindControls(place).empty());
  EXPECT_FALSE(AskControl(place / "8080.sock", "status"));
}

TEST(ControlSocket, WhatAKilledServerLeftIsRemoved) {
  const testing::CacheFolder folder;
  const std::string file = folder.path() + "/9.sock";
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, file.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(left);
  EXPECT_TRUE(FindControls(folder.path()).empty());
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(ControlSocket, AFolderThatOthersMayWriteIsRefused) {
  const testing::CacheFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  const auto socket = ControlSocket::Open(folder.path(), "1", [](std::string_view) { return ""; });
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().Message(), HasSubstr("yours alone"));
}

}  // namespace
}  // namespace ergo::serve

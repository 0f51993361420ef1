// A file that is part of the program (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace ergo {

struct EmbeddedFile {
  std::string_view path;  ///< relative to the folder that was embedded
  std::string_view text;
};

}  // namespace ergo

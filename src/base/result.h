// Expected failures as values: one error type for the whole program.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace ergo {

/// Why something could not be done, in words for the person who asked.
struct Error {
  std::string what;    ///< What is wrong: "tensor data ends past the file".
  std::string where;   ///< The file, place, option or request concerned.
  std::string remedy;  ///< What to do about it; may be empty.

  /// One line: "where: what (remedy)".
  std::string Message() const {
    std::string text;
    if (!where.empty()) text = where + ": ";
    text += what;
    if (!remedy.empty()) text += " (" + remedy + ")";
    return text;
  }
};

/// A value or the Error that says why there is none.
template <typename T>
using Result = tl::expected<T, Error>;

/// Success or an Error.
using Status = Result<void>;

/// Builds the error side of any Result.
inline tl::unexpected<Error> Fail(std::string what, std::string where = {},
                                  std::string remedy = {}) {
  return tl::unexpected<Error>(Error{std::move(what), std::move(where), std::move(remedy)});
}

/// Passes on the error of another Result.
template <typename T>
tl::unexpected<Error> Fail(Result<T>&& failed) {
  return tl::unexpected<Error>(std::move(failed).error());
}

}  // namespace ergo

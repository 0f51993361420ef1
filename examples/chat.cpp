// A chat on the terminal: chat MODEL
#include <ergo/ergo.hpp>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
  if (argc != 2) throw std::invalid_argument("usage: chat MODEL");
  const ergo::api::Model model(argv[1]);
  ergo::api::SequenceOptions options = model.Options();
  options.max_tokens = 512;
  ergo::api::Messages messages;
  std::string line;
  while (std::cout << "> " << std::flush && std::getline(std::cin, line)) {
    messages.Add("user", line);
    ergo::api::Sequence answer = model.Submit(model.Encode(messages), options);
    std::string text;
    answer.Generate([&](const ergo_token& token) {
      std::cout << token.text << std::flush;
      text += token.text;
      return true;
    });
    std::cout << '\n';
    messages.Add("assistant", text);
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

// Many branches of thought vote on a sum: vote MODEL [A B [BRANCHES]]
//
// The prompt is computed once. The branches share its keys and values, ride in common steps, and
// each has a seed of its own; a regular expression keeps them to numbers.
#include <cstddef>
#include <ergo/ergo.hpp>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using ergo::api::Model;
using ergo::api::Sequence;

int Vote(const char* path, const std::string& a, const std::string& b, std::size_t count) {
  const Model model(path);
  const std::string prompt =
      "Sums:\n2 + 3 = 5\n10 + 7 = 17\n21 + 34 = 55\n18 + 6 = 24\n" + a + " + " + b + " =";
  const ergo::api::Constraint number = model.Regex(" [0-9]{1,5}\n");

  ergo::api::SequenceOptions options;
  options.max_tokens = 0;
  Sequence root = model.Submit(model.Tokenize(prompt), options);
  root.Generate();

  options.max_tokens = 16;
  options.temperature = 0.7f;
  options.Constrain(number);
  std::vector<Sequence> branches;
  for (std::size_t i = 0; i < count; ++i) {
    options.seed = ergo_derive_seed(1, i);
    branches.push_back(root.Fork(options));
  }

  std::map<std::string, std::size_t> votes;
  for (Sequence& branch : branches) {
    std::string answer = branch.Text();
    if (answer.ends_with('\n')) ++votes[answer.substr(1, answer.size() - 2)];
  }
  std::string best;
  for (const auto& [answer, number_of_votes] : votes) {
    std::cout << answer << ": " << number_of_votes << '\n';
    if (best.empty() || number_of_votes > votes[best]) best = answer;
  }
  std::cout << a << " + " << b << " = " << best << '\n';
  return best.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2 && argc != 4 && argc != 5) {
    std::cerr << "usage: vote MODEL [A B [BRANCHES]]\n";
    return 2;
  }
  const std::string a = argc > 2 ? argv[2] : "17";
  const std::string b = argc > 3 ? argv[3] : "25";
  return Vote(argv[1], a, b, argc > 4 ? std::stoul(argv[4]) : 64);
} catch (const std::exception& error) {
  std::cerr << "vote: " << error.what() << '\n';
  return 1;
}

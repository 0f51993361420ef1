/* The library as a C99 program sees it: c_program MODEL. Exit status 0 if all is as it should be. */
#include <ergo/ergo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void check(int good, const char* what) {
  if (good) return;
  ++failures;
  fprintf(stderr, "c_program: %s\n", what);
}

struct seen {
  int tokens;
  double logprob;
};

static int on_token(const ergo_token* token, void* user) {
  struct seen* seen = user;
  check(strlen(token->text) == token->text_length, "the text of a token has another length");
  seen->logprob += token->logprob;
  return ++seen->tokens == 8;
}

static void use_sequences(const ergo_model* model) {
  ergo_error* error = NULL;
  ergo_sequence_options options;
  ergo_end end;
  struct seen seen = {0, 0.0};
  ergo_continuation continuations[2];
  int32_t* tokens = NULL;
  size_t count = 0;
  float logprobs[5];
  ergo_sequence* parent;
  ergo_sequence* branch;

  ergo_sequence_options_init(model, &options, sizeof(options));
  options.temperature = 1.0f;
  options.seed = 5;
  options.ignore_end = 1;
  options.max_tokens = 32;
  parent = ergo_submit_text(model, "Once upon a time", ERGO_TO_NUL, &options, &error);
  check(parent != NULL, ergo_error_message(error));
  if (parent == NULL) return;
  end.size = sizeof(end);
  check(ergo_generate(parent, on_token, &seen, &end, &error) == ERGO_OK, "generate failed");
  check(seen.tokens == 8 && end.read_tokens == 8, "the callback did not stop it");
  check(end.reason == ERGO_END_STOPPED, "it ended for another reason");
  check(seen.logprob < 0.0, "the log-probabilities are not below zero");

  check(ergo_sequence_get_tokens(parent, &tokens, &count, &error) == ERGO_OK, "no tokens");
  branch = ergo_fork(parent, count - 4, NULL, 0, NULL, &error);
  check(branch != NULL, ergo_error_message(error));
  ergo_sequence_drop(parent);
  continuations[0].tokens = tokens + count - 4;
  continuations[0].count = 4;
  continuations[1].tokens = tokens;
  continuations[1].count = 1;
  check(ergo_score(branch, continuations, 2, logprobs, 5, &error) == ERGO_OK,
        ergo_error_message(error));
  check(isfinite(logprobs[0]) && logprobs[0] <= 0.0f, "a score is not a log-probability");
  check(ergo_generate(branch, NULL, NULL, NULL, &error) == ERGO_OK, "the branch failed");
  check(ergo_fork(parent, 0, NULL, 0, NULL, &error) == NULL, "a dropped sequence was forked");
  check(ergo_error_status(error) == ERGO_FAILED, "another status for a dropped sequence");
  ergo_error_free(error);
  ergo_tokens_free(tokens);
  ergo_sequence_free(parent);
  ergo_sequence_free(branch);
}

int main(int argc, char** argv) {
  ergo_error* error = NULL;
  ergo_model_options options;
  ergo_stats stats;
  ergo_model* model;
  if (argc != 2) return 2;
  check(ergo_version_number() >= 100, "the version is below 0.1.0");
  check(ergo_model_load("/nowhere", NULL, &error) == NULL, "loaded what is not there");
  check(strstr(ergo_error_message(error), "/nowhere") != NULL, "the error does not name the file");
  ergo_error_free(error);
  ergo_model_options_init(&options, sizeof(options));
  options.kv_memory = (uint64_t)64 << 20;
  model = ergo_model_load(argv[1], &options, &error);
  check(model != NULL, ergo_error_message(error));
  if (model == NULL) return 1;
  use_sequences(model);
  stats.size = sizeof(stats);
  check(ergo_model_get_stats(model, &stats, NULL) == ERGO_OK, "no counters");
  check(stats.steps > 0 && stats.forks > 0 && stats.running == 0, "counters are off");
  ergo_model_free(model);
  if (failures == 0) printf("c_program: all is well with ergo %s\n", ergo_version());
  return failures == 0 ? 0 : 1;
}

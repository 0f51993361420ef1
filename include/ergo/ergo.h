/* ergo: a reasoning engine as a C library.
 *
 * A model is loaded once and serves any number of sequences at a time. A sequence is a text that
 * grows token by token; it can be forked at any position for next to nothing, scored, stopped and
 * dropped. All sequences of a model ride in common steps on a thread of the model's own, so many of
 * them together cost little more than one. What a sequence draws depends on its tokens, options and
 * seed alone, whatever else is running.
 *
 * Rules that hold for every function, unless it says otherwise:
 * - Errors. A function that can fail returns a status below zero, or NULL, and, where `error` is
 *   not NULL, stores an error there that the caller frees with ergo_error_free. On success it
 *   stores NULL. Output parameters are set only on success. No function aborts, prints, or lets an
 *   exception out.
 * - Ownership. What an ergo_…_new-like function returns (a model, sequence, constraint, string,
 *   token array, error) belongs to the caller, who frees it with the function named there. Inputs
 *   are copied: they need to live only until the function returns. Every …_free takes NULL.
 * - Lifetime. Sequences and constraints keep what they need of their model alive: handles may be
 *   freed in any order. No handle may be used during or after its own _free.
 * - Threads. Functions on models, constraints and errors may be called from any thread at any time.
 *   For sequences each function says it.
 * - Text is UTF-8. `length` counts bytes; ERGO_TO_NUL stands for "up to the zero byte".
 * - Structs. The caller sets `size` to sizeof of the struct, or calls its _init function, so that a
 *   program goes on working with a later version of the library, which may have added fields at the
 *   end. A NULL options pointer stands for the defaults.
 */
#ifndef ERGO_ERGO_H_
#define ERGO_ERGO_H_

#include <stddef.h>
#include <stdint.h>

#define ERGO_VERSION_MAJOR 0
#define ERGO_VERSION_MINOR 1
#define ERGO_VERSION_PATCH 0

#if defined(__GNUC__)
#define ERGO_API __attribute__((visibility("default")))
#else
#define ERGO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ERGO_TO_NUL SIZE_MAX        /* length of a text that ends with a zero byte */
#define ERGO_NO_LIMIT UINT64_MAX    /* for max_tokens */
#define ERGO_HERE SIZE_MAX          /* a position: all tokens that were given and read so far */

typedef struct ergo_error ergo_error;
typedef struct ergo_model ergo_model;
typedef struct ergo_sequence ergo_sequence;
typedef struct ergo_constraint ergo_constraint;

/* What a function says. Below zero: an error. */
typedef int32_t ergo_status;
enum {
  ERGO_OK = 0,
  ERGO_ENDED = 1,    /* ergo_sequence_next: there are no more tokens */
  ERGO_TIMEOUT = 2,  /* ergo_sequence_next: none came in time */

  ERGO_INVALID = -1,   /* the call is wrong: a NULL handle, a size, text that is not UTF-8 … */
  ERGO_FAILED = -2,    /* it can't be done: a bad file, no room, a position that is not there … */
  ERGO_NO_MEMORY = -3,
  ERGO_BUSY = -4,      /* another thread is reading this sequence */
  ERGO_INTERNAL = -5   /* a mistake of the library's */
};

/* ---- Version ---------------------------------------------------------------------------------- */

/* "0.1.0": of the library that is running, which may be later than the header's. Never freed. */
ERGO_API const char* ergo_version(void);
/* The same as a number: 10000 * major + 100 * minor + patch. */
ERGO_API int32_t ergo_version_number(void);

/* ---- Errors ------------------------------------------------------------------------------------
 * Any thread, as long as nobody frees the error. Texts are never NULL, perhaps empty, and live as
 * long as the error. Each takes NULL: no error, empty texts. */

ERGO_API ergo_status ergo_error_status(const ergo_error* error);
/* One line: "where: what (remedy)". */
ERGO_API const char* ergo_error_message(const ergo_error* error);
ERGO_API const char* ergo_error_what(const ergo_error* error);   /* what is wrong */
ERGO_API const char* ergo_error_where(const ergo_error* error);  /* file, option or argument */
ERGO_API const char* ergo_error_remedy(const ergo_error* error); /* what to do about it */
ERGO_API void ergo_error_free(ergo_error* error);

/* Frees a text that a function of this header made. Any thread. */
ERGO_API void ergo_string_free(char* text);
/* Frees a token array that a function of this header made. Any thread. */
ERGO_API void ergo_tokens_free(int32_t* tokens);

/* ---- Models ----------------------------------------------------------------------------------- */

/* A message that lives until the function returns. Called from any thread, perhaps from several at a
 * time, until the model's weights are gone (ergo_model_free); must not throw and not call back. */
typedef void (*ergo_on_warning)(const char* message, void* user);

typedef struct ergo_model_options {
  size_t size;
  int32_t threads;          /* 0: all processors */
  int32_t reference;        /* not 0: slow and exact, everything in fp32 */
  uint64_t context;         /* most tokens of a sequence; 0: what the model was made for */
  uint64_t kv_memory;       /* bytes for keys and values; 0: half of the memory that is free */
  const char* quantization; /* hold the weights as "int8" or "int4"; NULL: as in the file */
  const char* kv_type;      /* hold keys and values as "f32", "int8" …; NULL: the default */
  const char* kv_dir;       /* folder in which computed prefixes outlive the process, which several
                               processes may share; NULL: none */
  uint64_t kv_disk;         /* most bytes of it for this model; 0: 4 GiB */
  ergo_on_warning on_warning; /* told what is wrong with kv_dir; NULL: nobody */
  void* on_warning_user;
} ergo_model_options;

/* Sets the first `size` bytes to the defaults, `size` being sizeof(ergo_model_options). */
ERGO_API void ergo_model_options_init(ergo_model_options* options, size_t size);

/* Loads a GGUF file, a folder in Hugging Face's layout, or an org/name that is in the local cache.
 * NULL on an error: the file is missing, damaged or of a kind that is not supported; an option is
 * out of range. The caller frees the model with ergo_model_free. */
ERGO_API ergo_model* ergo_model_load(const char* path, const ergo_model_options* options,
                                     ergo_error** error);

/* Gives the handle back. The weights go when the last sequence of the model is freed, too. */
ERGO_API void ergo_model_free(ergo_model* model);

typedef struct ergo_model_info {
  size_t size;
  uint64_t vocabulary; /* token ids are 0 … vocabulary - 1 */
  uint64_t context;    /* most tokens of a sequence */
  int32_t bos;         /* the token that begins texts; -1: none */
  int32_t eos;         /* the token that ends texts; -1: none */
  int32_t has_chat_template;
  int32_t reserved;
  double load_seconds;
} ergo_model_info;

/* Fills `info`, whose size must be set. */
ERGO_API ergo_status ergo_model_get_info(const ergo_model* model, ergo_model_info* info,
                                         ergo_error** error);

/* Counters since the model was loaded, as of the last step. */
typedef struct ergo_stats {
  size_t size;
  uint64_t waiting;         /* sequences that wait for room or their turn */
  uint64_t running;         /* sequences that draw */
  uint64_t idle;            /* sequences that have ended and are kept */
  uint64_t steps;
  uint64_t computed_tokens; /* rows that went through the model */
  uint64_t drawn_tokens;
  uint64_t preemptions;
  uint64_t forks;
  double fork_seconds;      /* the engine's work for all forks */
  uint64_t blocks;          /* of 64 tokens each, that there is memory for */
  uint64_t free_blocks;     /* of these, unused or given up when needed */
  uint64_t prefix_hits;     /* tokens of prompts that were in the cache */
  uint64_t prefix_misses;   /* tokens of prompts that were not */
  uint64_t prefix_bytes;    /* of keys and values that are remembered */
} ergo_stats;

/* Fills `stats`, whose size must be set. Waits for the end of the step that is being computed. */
ERGO_API ergo_status ergo_model_get_stats(const ergo_model* model, ergo_stats* stats,
                                          ergo_error** error);

/* ---- Text and tokens -------------------------------------------------------------------------- */

/* For ergo_tokenize; combined by |. */
enum {
  ERGO_ADD_SPECIAL = 1,  /* add what the tokenizer begins and ends texts with (BOS …) */
  ERGO_PARSE_SPECIAL = 2 /* special tokens that stand in the text become their ids */
};

/* Ids of a text, in an array that the caller frees with ergo_tokens_free (also if *count is 0). */
ERGO_API ergo_status ergo_tokenize(const ergo_model* model, const char* text, size_t length,
                                   uint32_t flags, int32_t** tokens, size_t* count,
                                   ergo_error** error);

/* Text of ids, zero-terminated, freed with ergo_string_free; NULL on an error (an id that the model
 * doesn't have). Special tokens are left out unless `with_special` is not 0. Bytes that form no
 * character become U+FFFD. `length` may be NULL. */
ERGO_API char* ergo_detokenize(const ergo_model* model, const int32_t* tokens, size_t count,
                               int32_t with_special, size_t* length, ergo_error** error);

typedef struct ergo_chat_options {
  size_t size;
  const char* tools;             /* JSON array of tools that the template shows; NULL: none */
  const char* variables;         /* JSON object of further variables of the template; NULL: none */
  int32_t no_generation_prompt;  /* not 0: without the header of the answer to come */
  int32_t reserved;
} ergo_chat_options;

/* Text of a conversation as the model's chat template writes it; freed with ergo_string_free. NULL
 * on an error: the model has no template, the text is no JSON array of messages
 * ([{"role": "user", "content": "…"}, …]), the template refuses them. */
ERGO_API char* ergo_render_chat(const ergo_model* model, const char* messages,
                                const ergo_chat_options* options, ergo_error** error);

/* The same as tokens, ready for ergo_submit. */
ERGO_API ergo_status ergo_encode_chat(const ergo_model* model, const char* messages,
                                      const ergo_chat_options* options, int32_t** tokens,
                                      size_t* count, ergo_error** error);

/* `text` as a JSON string with its quotes, for building messages; freed with ergo_string_free. */
ERGO_API char* ergo_json_string(const char* text, size_t length, ergo_error** error);

/* ---- Constraints -------------------------------------------------------------------------------
 * What a drawn text must be. Compiled once for a model, used by any number of its sequences. Errors
 * name the place in the input that is wrong or not supported. Freed with ergo_constraint_free, also
 * while sequences still use it. */

/* JSON texts that satisfy a JSON Schema (itself a JSON text). */
ERGO_API ergo_constraint* ergo_constraint_json_schema(const ergo_model* model, const char* schema,
                                                      ergo_error** error);
/* Texts that a regular expression matches as a whole. */
ERGO_API ergo_constraint* ergo_constraint_regex(const ergo_model* model, const char* pattern,
                                                ergo_error** error);
/* Texts of the rule `root` of a grammar in GBNF. */
ERGO_API ergo_constraint* ergo_constraint_grammar(const ergo_model* model, const char* grammar,
                                                  ergo_error** error);
/* One of `count` texts, each zero-terminated. */
ERGO_API ergo_constraint* ergo_constraint_choices(const ergo_model* model,
                                                  const char* const* choices, size_t count,
                                                  ergo_error** error);
ERGO_API void ergo_constraint_free(ergo_constraint* constraint);

/* ---- Sequences -------------------------------------------------------------------------------- */

typedef struct ergo_token_bias {
  int32_t token;
  float bias; /* added to the token's logit; -INFINITY forbids it */
} ergo_token_bias;

typedef struct ergo_sequence_options {
  size_t size;
  float temperature;        /* 0: always the most likely token */
  int32_t top_k;            /* keep the k most likely; 0: all */
  float top_p;              /* keep the most likely until their share reaches p; 1: all */
  float min_p;              /* keep those with min_p of the largest probability; 0: all */
  float typical_p;          /* keep the most typical until their share reaches p; 1: all */
  float repetition_penalty; /* 1: none */
  float frequency_penalty;  /* 0: none */
  float presence_penalty;   /* 0: none */
  uint64_t seed;            /* the same seed draws the same text */
  uint64_t max_tokens;      /* to draw; ERGO_NO_LIMIT: until the context is full; 0: see submit */
  const ergo_token_bias* biases;
  size_t bias_count;
  const int32_t* stop_tokens; /* each ends the text, beside the model's own end tokens */
  size_t stop_token_count;
  const ergo_constraint* constraint; /* of the same model; NULL: none */
  const char* name_space;   /* whose cached prefixes it may use and adds to; NULL: the common one */
  double deadline_seconds;  /* from now; 0: none */
  int32_t ignore_end;       /* not 0: go on after the model's own end tokens */
  int32_t logprobs;         /* -1: none; 0: of each drawn token; k: and the k likeliest others */
  int32_t priority;         /* higher ones are admitted first and pre-empted last */
  int32_t unread;           /* tokens that may wait to be read; then the sequence pauses; 0: 256 */
  int64_t think_budget;     /* most tokens of thought: it is closed in time, an answer follows, and
                               the constraint is one on the answer; -1: no budget. For models that
                               mark their thoughts; what a fork begins with counts */
} ergo_sequence_options;

/* Sets the first `size` bytes to the defaults, `size` being sizeof(ergo_sequence_options): the
 * sampling that the model's makers recommend, or, if `model` is NULL, the model's plain
 * distribution; seed 0, no limit, no constraint. */
ERGO_API void ergo_sequence_options_init(const ergo_model* model, ergo_sequence_options* options,
                                         size_t size);

/* A seed for the `number`-th branch of something with `seed`; number 0 is `seed` itself. */
ERGO_API uint64_t ergo_derive_seed(uint64_t seed, uint64_t number);

/* A new sequence that begins with `tokens` (at least one) and goes on with what is drawn. Returns at
 * once; the model's thread begins to compute, and pauses when `unread` tokens wait to be read. With
 * max_tokens 0 the prompt is computed and nothing is drawn: a root to fork and score on. The caller
 * frees it with ergo_sequence_free. NULL on an error: an unknown token, more tokens than the
 * context, an option out of range. What goes wrong later is an error of ergo_generate. */
ERGO_API ergo_sequence* ergo_submit(const ergo_model* model, const int32_t* tokens, size_t count,
                                    const ergo_sequence_options* options, ergo_error** error);

/* The same for a text as it stands, tokenized with ERGO_ADD_SPECIAL | ERGO_PARSE_SPECIAL. */
ERGO_API ergo_sequence* ergo_submit_text(const ergo_model* model, const char* text, size_t length,
                                         const ergo_sequence_options* options, ergo_error** error);

/* A new sequence that begins with the first `position` tokens of `parent` and `appended`, and shares
 * the parent's keys and values: it takes memory and time for its own tokens only. `position` is at
 * most what was given to the parent and read from it, which ERGO_HERE stands for.
 *
 * `options` NULL: the parent's, with a seed derived from it that is another one for each fork. With
 * the parent's constraint in the options the text goes on under it from where it stands (and
 * `appended` must satisfy it); another constraint begins behind `appended`. The name
 * space is always the parent's.
 *
 * The parent may be running, have ended, and be dropped afterwards; not before: that is an error.
 * Any thread, also while another one reads the parent. */
ERGO_API ergo_sequence* ergo_fork(ergo_sequence* parent, size_t position, const int32_t* appended,
                                  size_t count, const ergo_sequence_options* options,
                                  ergo_error** error);

/* Frees the handle, after ergo_sequence_drop. Nobody may be using the sequence. */
ERGO_API void ergo_sequence_free(ergo_sequence* sequence);

/* Ends the sequence after the present step, if it is running; what it has drawn can be read, and it
 * can be forked and scored. Any thread, also while another one reads. NULL: nothing. */
ERGO_API void ergo_stop(ergo_sequence* sequence);

/* Ends it and gives its keys and values back. Its tokens stay readable; forks and scores are errors
 * from then on; its children live on. Any thread, also while another one reads. NULL: nothing. */
ERGO_API void ergo_sequence_drop(ergo_sequence* sequence);

typedef struct ergo_alternative {
  int32_t token;
  float logprob;
} ergo_alternative;

/* A drawn token; lives until the callback returns, or until the next call of ergo_sequence_next.
 * Made by the library: later versions may add fields at the end. */
typedef struct ergo_token {
  int32_t id;
  int32_t forced;     /* 1: the constraint left no choice; it has no log-probability */
  float logprob;      /* of the model, natural logarithm; NaN where not known or not asked for */
  int32_t reserved;
  const char* text;   /* what it adds to the text, in whole characters, zero-terminated; "" if it
                         is special or a character is not complete yet */
  size_t text_length;
  const ergo_alternative* alternatives; /* most likely first; options.logprobs of them */
  size_t alternative_count;
} ergo_token;

/* Not 0: the sequence is stopped. Called on the thread that called ergo_generate; may use any
 * function but reading, dropping-and-freeing of the same sequence. Must not throw. */
typedef int (*ergo_on_token)(const ergo_token* token, void* user);

enum {
  ERGO_END_STOP_TOKEN = 1, /* the model's end token, or one of stop_tokens; it was the last token */
  ERGO_END_COMPLETE = 2,   /* the constraint's text is complete */
  ERGO_END_LENGTH = 3,     /* max_tokens were drawn */
  ERGO_END_CONTEXT = 4,    /* the context is full */
  ERGO_END_STOPPED = 5,    /* by ergo_stop, ergo_sequence_drop or the callback */
  ERGO_END_DEADLINE = 6
};

typedef struct ergo_end {
  size_t size;
  int32_t reason;         /* ERGO_END_… */
  int32_t preemptions;
  uint64_t given_tokens;  /* the prompt, or all that a fork began with */
  uint64_t cached_tokens; /* of these, whose keys and values were there already */
  uint64_t read_tokens;   /* drawn and handed out */
  double queue_seconds;   /* from the call to the first step */
  double prompt_seconds;  /* from there to the first token */
} ergo_end;

/* Reads a sequence to its end and calls `on_token` (NULL: nothing) for each token. Fills `end`, if
 * it is not NULL; its size must be set. Errors: what went wrong in the engine (no room for keys and
 * values …); the tokens until then were handed out. Any thread, but one at a time: ERGO_BUSY. */
ERGO_API ergo_status ergo_generate(ergo_sequence* sequence, ergo_on_token on_token, void* user,
                                   ergo_end* end, ergo_error** error);

/* Reads one token: ERGO_OK and *token, ERGO_ENDED, or ERGO_TIMEOUT after `timeout_seconds` (below 0:
 * waits for as long as it takes; 0: doesn't wait). Errors and threads as for ergo_generate; *token
 * lives until the next call. */
ERGO_API ergo_status ergo_sequence_next(ergo_sequence* sequence, double timeout_seconds,
                                        const ergo_token** token, ergo_error** error);

/* How it ended; an error while its tokens were not all read. `end->size` must be set. Any thread. */
ERGO_API ergo_status ergo_sequence_get_end(const ergo_sequence* sequence, ergo_end* end,
                                           ergo_error** error);

/* All tokens that were given and read so far; freed with ergo_tokens_free. Any thread. */
ERGO_API ergo_status ergo_sequence_get_tokens(const ergo_sequence* sequence, int32_t** tokens,
                                              size_t* count, ergo_error** error);
/* How many these are, which is what ERGO_HERE stands for; 0 for NULL. Any thread. */
ERGO_API size_t ergo_sequence_position(const ergo_sequence* sequence);

typedef struct ergo_continuation {
  const int32_t* tokens;
  size_t count;
} ergo_continuation;

/* Log-probabilities (of the model, natural logarithm) of the tokens of `count` continuations of the
 * tokens that were given and read so far, computed together. `logprobs` takes one number for each
 * token, continuation after continuation; `logprob_count` must be the number of all tokens. Waits
 * for the result. Errors: an unknown token, more than the context, a sequence that was dropped.
 * Any thread, also while another one reads. */
ERGO_API ergo_status ergo_score(ergo_sequence* sequence, const ergo_continuation* continuations,
                                size_t count, float* logprobs, size_t logprob_count,
                                ergo_error** error);

/* ---- Looking inside ----------------------------------------------------------------------------
 * What a model computes on the way through a text. Computed anew for the tokens that are given (of a
 * sequence: ergo_sequence_get_tokens), with memory of its own, so that it costs nothing else. */

typedef struct ergo_inspection ergo_inspection;

/* Numbers in the lists stand in any order, each once; results are in the same order. */
typedef struct ergo_inspect_options {
  size_t size;
  const uint64_t* positions;        /* of tokens, from 0; none given: all */
  size_t position_count;
  const uint64_t* hidden_layers;    /* 0: the embedding; L: the state behind L layers, the last one
                                       also behind the final norm; none given: none */
  size_t hidden_layer_count;
  const uint64_t* attention_layers; /* from 0; none given: none */
  size_t attention_layer_count;
  const uint64_t* heads;            /* of queries, from 0; none given: all */
  size_t head_count;
  int32_t expectations;             /* not 0: how sure the model is of what follows each position */
  int32_t alternatives;             /* likeliest next tokens of each position; implies them */
  uint64_t most_bytes;              /* of memory that it may take; 0: 1 GiB */
} ergo_inspect_options;

/* Sets the first `size` bytes to zero, and `size` itself. */
ERGO_API void ergo_inspect_options_init(ergo_inspect_options* options, size_t size);

/* What was found. The pointers are the inspection's and live as long as it; NULL: not asked for. */
typedef struct ergo_inspected {
  size_t size;
  uint64_t tokens;              /* that were given */
  uint64_t positions;           /* counts of what was asked for */
  uint64_t hidden_layers;
  uint64_t attention_layers;
  uint64_t heads;
  uint64_t width;               /* of a state */
  uint64_t alternative_count;   /* of a position */
  const float* hidden;          /* [hidden_layers, positions, width] */
  const float* attention;       /* [attention_layers, heads, positions, tokens]: probabilities */
  const float* entropies;       /* [positions]: of the next token's distribution, in nats */
  const float* next_logprobs;   /* [positions]: of the token that follows; NaN behind the last */
  const ergo_alternative* alternatives; /* [positions, alternative_count], likeliest first */
} ergo_inspected;

/* Computes `count` tokens (at least one) and keeps what the options ask for. Waits for it; sequences
 * of the model go on beside it. Any thread, any number at a time. The caller frees the result with
 * ergo_inspection_free; it does not need the model any more. NULL on an error: an unknown token,
 * layer, head or position, one that is named twice, more tokens than the context, or more memory
 * than most_bytes. */
ERGO_API ergo_inspection* ergo_inspect(const ergo_model* model, const int32_t* tokens, size_t count,
                                       const ergo_inspect_options* options, ergo_error** error);

/* Fills `inspected`, whose size must be set. Any thread. */
ERGO_API ergo_status ergo_inspection_get(const ergo_inspection* inspection,
                                         ergo_inspected* inspected, ergo_error** error);

ERGO_API void ergo_inspection_free(ergo_inspection* inspection);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ERGO_ERGO_H_ */

#include "runtime/speculate/speculation_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace ergo::runtime {
namespace {

/// Steps of one to nine rows as measured on a processor without matrix units; from there on each
/// row costs what it costs alone in a large batch.
double CheapRows(std::size_t rows) {
  constexpr double kCost[] = {0, 1, 1.02, 1.1, 1.3, 1.4, 1.5, 1.65, 1.8, 1.95};
  if (rows <= 9) return kCost[rows];
  return 1.95 + 0.12 * static_cast<double>(rows - 9);
}

double DearRows(std::size_t rows) { return static_cast<double>(rows); }

struct World {
  double (*cost)(std::size_t) = CheapRows;
  double chance = 0.0;   ///< of each proposed token, given that those before it were right
  double matches = 1.0;  ///< share of the steps that have a proposal
  std::size_t matched = 6;
  double noise = 0.05;  ///< of the measured times
  std::size_t sequences = 1;
};

struct Simulation {
  std::mt19937 random{5};
  SpeculationControl control;
  std::vector<SequenceSpeculation> sequences;
  double seconds = 0.0;
  double tokens = 0.0;
  double drafts = 0.0;

  double Uniform() { return std::uniform_real_distribution<double>()(random); }

  /// One step of all sequences, each with what it proposes and gets.
  void Step(const World& world) {
    sequences.resize(world.sequences);
    StepSoFar step = {world.sequences, static_cast<double>(world.sequences)};
    Proposal proposal;
    proposal.tokens.resize(control.most());
    proposal.matched = world.matched;
    std::vector<std::size_t> chosen(world.sequences, 0);
    for (std::size_t i = 0; i < world.sequences; ++i) {
      if (Uniform() < world.matches) chosen[i] = control.Choose(sequences[i], proposal, step);
    }
    std::size_t rows = world.sequences;
    for (std::size_t i = 0; i < world.sequences; ++i) {
      rows += chosen[i];
      std::size_t accepted = 0;
      while (accepted < chosen[i] && Uniform() < world.chance) ++accepted;
      control.RecordAcceptance(sequences[i], proposal, chosen[i], accepted);
      tokens += 1.0 + static_cast<double>(accepted);
    }
    ASSERT_EQ(rows, step.rows);
    drafts += static_cast<double>(rows - world.sequences);
    // Contexts grow, the machine is interrupted now and then.
    const double drift = 1.0 + seconds * 1e-3;
    const double spike = Uniform() < 0.01 ? 8.0 : 1.0;
    const double noise = 1.0 + world.noise * (2.0 * Uniform() - 1.0);
    control.Record(rows, 1e-3 * world.cost(rows) * drift * spike * noise);
    seconds += 1e-3 * world.cost(rows);
  }

  /// Tokens per second against as many steps without proposals.
  double Gain(const World& world, std::size_t steps) {
    seconds = tokens = drafts = 0.0;
    for (std::size_t i = 0; i < steps; ++i) Step(world);
    const double alone =
        static_cast<double>(world.sequences) / (1e-3 * world.cost(world.sequences));
    return tokens / seconds / alone;
  }
};

/// With the best fixed number of proposed tokens for one sequence.
double BestGain(const World& world) {
  double best = 1.0;
  for (std::size_t k = 1; k <= 15; ++k) {
    double expected = 1.0;
    double chance = 1.0;
    for (std::size_t i = 0; i < k; ++i) expected += chance *= world.chance;
    best = std::max(best, expected / world.cost(1 + k));
  }
  return best;
}

TEST(SpeculationControl, LosesNextToNothingWhereNothingIsAccepted) {
  for (const double matches : {0.1, 0.5, 1.0}) {
    for (const std::size_t matched : {2u, 6u, 20u}) {
      for (unsigned seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(::testing::Message() << matches << " " << matched << " " << seed);
        World world;
        world.matches = matches;
        world.matched = matched;
        Simulation run;
        run.random.seed(seed);
        EXPECT_GE(run.Gain(world, 300), 0.98) << "at first";
        EXPECT_GE(run.Gain(world, 3000), 0.985) << "then";
        EXPECT_GT(run.drafts, 0.0) << "it is tried again";
      }
    }
  }
}

TEST(SpeculationControl, ComesCloseToTheBestLength) {
  for (const double chance : {0.3, 0.5, 0.7, 0.9, 0.98}) {
    for (unsigned seed = 1; seed <= 10; ++seed) {
      World world;
      world.chance = chance;
      Simulation run;
      run.random.seed(seed);
      run.Gain(world, 200);
      EXPECT_GE(run.Gain(world, 3000), 0.9 * BestGain(world)) << chance << " " << seed;
    }
  }
}

TEST(SpeculationControl, PaysOffWithinTheFirstHundredSteps) {
  World world;
  world.chance = 0.95;
  world.matched = 16;
  EXPECT_GE(Simulation().Gain(world, 100), 2.0);
}

TEST(SpeculationControl, FollowsAChange) {
  World prose;
  World code;
  code.chance = 0.9;
  Simulation run;
  for (int i = 0; i < 3; ++i) {
    EXPECT_GE(run.Gain(prose, 1000), 0.96);
    EXPECT_GE(run.Gain(code, 1000), 0.85 * BestGain(code));
  }
}

TEST(SpeculationControl, StaysOutOfBatchesWhereRowsAreDear) {
  World world;
  world.cost = DearRows;
  world.chance = 0.5;
  for (const std::size_t sequences : {1u, 4u, 16u, 64u}) {
    world.sequences = sequences;
    Simulation run;
    run.Gain(world, 50);
    EXPECT_GE(run.Gain(world, 1000), 0.98) << sequences;
  }
}

TEST(SpeculationControl, SharesTheRowsOfABatch) {
  World world;
  world.chance = 0.8;
  world.sequences = 4;
  Simulation run;
  run.Gain(world, 200);
  // 4 rows cost 1.3 and give 4 tokens; 9 rows cost 1.95 and give up to 7.2.
  EXPECT_GE(run.Gain(world, 2000), 1.15);
}

TEST(SpeculationControl, EachSequenceHasItsOwnRates) {
  SpeculationControl control;
  for (int i = 0; i < 200; ++i) {
    for (std::size_t rows = 1; rows <= 16; ++rows) control.Record(rows, 1e-3 * CheapRows(rows));
  }
  SequenceSpeculation good;
  SequenceSpeculation bad;
  Proposal proposal = {std::vector<std::int32_t>(15), 6};
  for (int i = 0; i < 100; ++i) {
    control.RecordAcceptance(good, proposal, 8, 8);
    control.RecordAcceptance(bad, proposal, 8, 0);
  }
  StepSoFar step;
  EXPECT_GE(control.Choose(good, proposal, step), 8u);
  step = {};
  EXPECT_EQ(control.Choose(bad, proposal, step), 0u);
  EXPECT_EQ(step.rows, 1u);
  const SequenceSpeculation fork = good;
  SequenceSpeculation copy = fork;
  EXPECT_GE(control.Choose(copy, proposal, step), 8u);
  EXPECT_EQ(control.Choose(good, {}, step), 0u);
}

TEST(StepCost, InterpolatesAndRemembers) {
  StepCost cost;
  EXPECT_DOUBLE_EQ(cost.Relative(1), 1.0);
  EXPECT_NEAR(cost.Relative(5), 1.2, 1e-9);
  for (int i = 0; i < 100; ++i) {
    cost.Record(1, 1e-3);
    cost.Record(4, 2e-3);
    cost.Record(8, 3e-3);
  }
  EXPECT_NEAR(cost.Relative(4), 2.0, 0.02);
  EXPECT_NEAR(cost.Relative(2), 1.0 + 1.0 / 3.0, 0.02);
  EXPECT_NEAR(cost.Relative(6), 2.5, 0.02);
  EXPECT_NEAR(cost.Relative(15), 5.0, 0.05);
  EXPECT_EQ(cost.largest(), 8u);
  EXPECT_EQ(cost.StepsSince(8), 0u);
  EXPECT_EQ(cost.StepsSince(1), 2u);
  EXPECT_EQ(cost.StepsSince(6), 1u) << "4 are nearly as many";
  EXPECT_EQ(cost.StepsSince(20), StepCost::kNever);
  // The machine slows down while only some numbers of rows are seen.
  for (int i = 0; i < 400; ++i) cost.Record(8, 3e-3 * (1.0 + i / 400.0));
  EXPECT_NEAR(cost.Relative(8), 3.0, 0.6);
}

TEST(StepCost, IgnoresWhatCannotBe) {
  StepCost cost;
  cost.Record(0, 1.0);
  cost.Record(1, 0.0);
  cost.Record(1, -1.0);
  cost.Record(1, 1.0 / 0.0);
  cost.Record(1, 0.0 / 0.0);
  cost.Record(100'000, 1.0);
  EXPECT_EQ(cost.largest(), 0u);
  EXPECT_GE(cost.Relative(100'000), 1.0);
}

}  // namespace
}  // namespace ergo::runtime

"""The peer: Splink matches the same rows, by the recipe that it recommends.

Probabilities of agreement are learnt from the rows, u by chance pairs and m by
expectation maximisation; pairs at or above one in two are joined, and whatever hangs
together is one person, as Splink's own clustering has it.
"""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
import splink.comparison_library as compare
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

from bench._febrl import COLUMNS, Row

_JOIN_AT = 0.5
_CHANCE_PAIRS = 1_000_000


def link(rows: Sequence[Row]) -> list[int]:
    """Give each row's person, by Splink."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _link(rows)


def _link(rows: Sequence[Row]) -> list[int]:
    table = pd.DataFrame([row.says for row in rows], columns=list(COLUMNS))
    table = table.replace("", None)
    table["unique_id"] = range(len(rows))
    linker = Linker(DuckDBAPI().register(table), _settings(), log_level=None)
    rules = [block_on("given_name", "surname"), block_on("date_of_birth")]
    linker.training.estimate_probability_two_random_records_match(
        [
            block_on("given_name", "surname", "date_of_birth"),
            block_on("date_of_birth", "postcode", "address_1"),
        ],
        recall=0.7,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=_CHANCE_PAIRS, seed=1)
    for rule in rules:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=0.01)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=_JOIN_AT
    ).as_pandas_dataframe()
    clusters: dict[int, Any] = dict(
        zip(found["unique_id"], found["cluster_id"], strict=True)
    )
    return [clusters[place] for place in range(len(rows))]


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("date_of_birth"),
            block_on("given_name", "surname"),
            block_on("surname", "postcode"),
            block_on("given_name", "postcode"),
            block_on("street_number", "address_1"),
            block_on("postcode", "address_1"),
            block_on("given_name", "suburb"),
            block_on("surname", "suburb"),
        ],
        comparisons=[
            compare.ForenameSurnameComparison("given_name", "surname"),
            compare.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
            compare.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
            compare.JaroWinklerAtThresholds("address_1", [0.92, 0.8]),
            compare.DamerauLevenshteinAtThresholds("street_number", [1]),
            compare.JaroWinklerAtThresholds("suburb", [0.92, 0.8]),
            compare.ExactMatch("state"),
        ],
    )

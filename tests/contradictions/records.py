"""The records among themselves: the verdicts of claims.json follow from its numbers, and these from results.json."""

from __future__ import annotations

from collections.abc import Iterator

from contradictions.numbers import Record, comparison, has_diverged, has_learned, mean_score, overall

EFFECT = ("quantity", "effect", "low", "high", "neutral", "p_value", "p_holm", "detectable", "task", "arm", "against")


def of_records(results: Record, claims: Record) -> Iterator[str]:
    """What the records say against each other."""
    alpha = 1 - results["bootstrap"]["confidence"]
    for record in results["comparisons"]:
        means = [
            mean_score(results, record["task"], record[side], record["metric"], record["seeds"])
            for side in ("candidate", "baseline")
        ]
        if abs(means[0] - means[1] - record["difference"]) > 1e-6:
            yield f"a difference that is none of the scores: {record}"
    for claim in claims["claims"]:
        if claim["verdict"] != overall(claim["rows"]):
            yield f"{claim['id']} is {overall(claim['rows'])} by its rows, not {claim['verdict']}"
        effect = claim["effect"]
        if effect and not any(all(row[key] == effect[key] for key in EFFECT) for row in claim["rows"]):
            yield f"{claim['id']} hangs on an effect that none of its rows has: {effect}"
        for row in claim["rows"]:
            allowed = row_permits(claim["id"], row, alpha)
            if row["verdict"] not in allowed:
                yield f"{claim['id']} {row['arm']} on {row['task']} is {row['verdict']}, the numbers say {allowed}"
            yield from floor(claim["id"], row, results)
            metric = {"C1": "bleu", "C2": "rougeL"}.get(claim["id"])
            found = comparison(results, row["task"], row["arm"], row["against"], metric)
            if has_diverged(results, row["task"], {row["arm"], row["against"]}):
                found = None  # shares of trainings are compared, no scores
            if found is not None and row["effect"] is not None and abs(found["difference"] - row["effect"]) > 1e-6:
                yield f"{claim['id']} has another difference of {row['arm']} and {row['against']} than results.json"


def floor(claim: str, row: Record, results: Record) -> Iterator[str]:
    """A row of these claims is open for scores that are too low where they are, and nowhere else."""
    compares_scores = claim in ("C1", "C2", "C4", "C5", "C6", "C7", "C8", "C14") and "diverged" not in row["quantity"]
    if not compares_scores or row["effect"] is None or row["missing"]:
        return
    task = results["tasks"][row["task"]]
    arms = {row["arm"], row["against"]} & {*task["models"]}
    scores = [mean_score(results, row["task"], arm, task["headline_metric"], row["seeds"]) for arm in arms]
    because = row["open_because"]
    if (not has_learned(scores) and not because) or (has_learned(scores) and "below 1" in because):
        yield f"{claim} {row['arm']} on {row['task']}: the scores are {scores}"


def row_permits(claim: str, row: Record, alpha: float) -> set[str]:
    """The verdicts that a row's effect, interval and corrected p-value permit."""
    effect, low, high = row["effect"], row["low"], row["high"]
    if (
        effect is None
        or row["missing"]
        or row["open_because"]
        or (row["p_holm"] is not None and row["p_holm"] >= alpha)
    ):
        return {"not decided"}
    if claim == "C11" or (claim == "C9" and row["quantity"].startswith("activation memory")):  # counts
        return {"supported" if effect > 0 else "refuted"}
    if claim == "C10" and low is None:
        return {"supported"} if effect > 1.25 else {"refuted"} if effect < 1 / 1.25 else {"not decided"}
    if claim == "C8":
        outside = low is None or low > 0 or high < 0
        return {"supported"} if outside else {"refuted"} if low > -1 and high < 1 else {"not decided"}
    if row["quantity"] == "share of diverged trainings":
        return {"refuted"} if effect > 0 else {"supported"}
    if low is None:
        return {"not decided"}
    above, below = low > row["neutral"], high < row["neutral"]
    if claim in ("C5", "C14"):  # an error rate, a loss: less is better
        above, below = below, above
    return {"supported"} if above else {"refuted"} if below else {"not decided"}

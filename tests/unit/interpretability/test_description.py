import pytest

from histopatch.interpretability.description import NO_EVIDENCE, WARNING, describe_attribution


def mean(value: float, margin: float = 0.02) -> dict:
    return {"mean": value, "sd": 0.2, "low": value - margin, "high": value + margin, "patches": 200}


def summary(**changes) -> dict:
    classes = {"all": mean(0.4), "negative": mean(0.5), "positive": mean(0.3)}
    return {
        "measured_on": "held-out patches",
        "networks": 1,
        "patches": 200,
        "positive": 100,
        "patch_size": 96,
        "centre_size": 32,
        "area_share": 1 / 9,
        "interval": "by slide",
        "grad_cam": classes,
        "occlusion": classes,
        "change_without_centre": mean(1.014),
        "change_without_border": mean(3.16),
    } | changes


def test_both_numbers_are_said_with_interval_spread_and_chance():
    text = "\n".join(describe_attribution(summary()))
    assert (
        "How much the central 32×32 pixels decide, 11.1 % of the area, on 200 held-out patches, 100 of them "
        "positive (95 % intervals by slide):" in text
    )
    share = "40.0 % (38.0–42.0; standard deviation over patches 20.0; negative 50.0 %; positive 30.0 %)"
    assert f"- Grad-CAM: {share} of the evidence for the predicted class is there. Chance: 11.1 %." in text
    assert (
        "- Occlusion: on average the logit changes by 1.01 without them and by 3.16 without all others; "
        f"the centre's part of the sum is {share}. Chance: 11.1 %." in text
    )
    assert WARNING not in text
    assert NO_EVIDENCE not in text


@pytest.mark.parametrize("number", ["grad_cam", "occlusion"])
@pytest.mark.parametrize("among", ["all", "positive"])
def test_a_share_below_chance_is_warned_of(number, among):
    means = summary()[number] | {among: mean(0.08, 0.03)}
    assert WARNING in describe_attribution(summary(**{number: means}))


def test_negative_patches_alone_are_no_reason_to_warn():
    lines = describe_attribution(summary(occlusion=summary()["occlusion"] | {"negative": mean(0.08, 0.03)}))
    assert WARNING not in lines
    assert NO_EVIDENCE not in lines


def test_a_share_that_may_be_chance_is_no_evidence():
    for number in ("grad_cam", "occlusion"):
        lines = describe_attribution(summary(**{number: summary()[number] | {"positive": mean(0.115)}}))
        assert WARNING not in lines
        assert NO_EVIDENCE in lines


def test_what_is_not_known_has_no_number():
    none = dict.fromkeys(("all", "negative", "positive"))
    text = "\n".join(describe_attribution(summary(grad_cam=none, occlusion=none)))
    assert text.endswith(
        "- Grad-CAM: not known, as the feature maps have fewer than 3×3 cells or no evidence."
    )
    assert "Occlusion" not in text

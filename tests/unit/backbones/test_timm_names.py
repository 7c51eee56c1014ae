import os
import subprocess
import sys

import pytest
import timm

from histopatch import schema
from histopatch.backbones.timm_names import architectures, check_name
from histopatch.errors import InputError


def test_the_names_are_timms():
    assert architectures() == set(timm.list_models())


@pytest.mark.parametrize("name", ["resnet18", "timm/convnext_tiny.fb_in22k", "timm/hf-hub:owner/any"])
def test_what_may_be_there_passes(name):
    check_name(name)


@pytest.mark.input("Configuration", "a network that timm does not have", "refused: did you mean")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("timm/convnext_tinny.fb_in22k", "'convnext_tinny' (did you mean 'timm/convnext_tiny'?);"),
        ("timm/zzzz", "'zzzz'; `timm.list_models()` names all"),
    ],
)
def test_a_name_that_timm_does_not_have_is_one_line(name, told):
    with pytest.raises(InputError) as caught:
        check_name(name)
    assert str(caught.value).startswith(f"backbone: timm has no {told}")


def test_nothing_slow_is_imported():
    code = (
        "import sys\nfrom histopatch.backbones.timm_names import check_name\ncheck_name('timm/resnet18')\n"
        "assert not {'timm', 'torch'} & set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(schema.PATH.parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)

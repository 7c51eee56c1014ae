import pytest
import torch

from histopatch.export.decompositions import eigh, kthvalue


@pytest.fixture
def matrices() -> torch.Tensor:
    """Covariances of colours, some of them far from round, and three that are diagonal already."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([1.0, 1e-2, 1e-4])[:, None]
    samples = torch.randn(200, 3, 5, generator=generator)
    samples[:100] *= spread
    plain = [torch.zeros(3, 3), torch.eye(3), torch.diag(torch.tensor([3.0, 1.0, 2.0]))]
    return torch.cat([samples @ samples.transpose(1, 2), torch.stack(plain)])


def test_eigenvalues_and_vectors_are_those_of_lapack(matrices):
    values, vectors = eigh(matrices)
    wanted, theirs = torch.linalg.eigh(matrices.double())
    largest = wanted.amax(1, keepdim=True).clamp(min=1e-9)
    assert ((values - wanted).abs() / largest).max() < 1e-5
    assert (vectors.transpose(1, 2) @ vectors - torch.eye(3)).abs().max() < 1e-5
    distinct = wanted.diff(dim=1).amin(1) > 1e-3 * largest[:, 0]
    assert distinct.sum() > 50
    assert (1 - (vectors * theirs).sum(1).abs())[distinct].max() < 1e-4


@pytest.mark.parametrize("k", [1, 7, 50])
def test_the_kth_value_is_that_of_torch(k):
    values = torch.randn(4, 2, 50, generator=torch.Generator().manual_seed(0))
    assert all(map(torch.equal, kthvalue(values, k, 2), values.kthvalue(k, 2)))

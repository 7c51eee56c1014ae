"""What stain normalisation computes and ONNX has no operation for, in operations that it has."""

import torch
from torch import Tensor

SWEEPS = 5  # over the three pairs of axes; convergence is quadratic, and single precision takes four


def eigh(matrices: Tensor, uplo: str = "L", compute_v: bool = True) -> tuple[Tensor, Tensor]:
    """Eigenvalues (N×3), ascending, and eigenvectors (N×3×3, columns) of symmetric N×3×3 matrices.

    Jacobi's method with a fixed number of sweeps; the arguments are those of `aten._linalg_eigh`. Golub & Van
    Loan, Matrix Computations, 4th edition, 8.5.
    """
    vectors = torch.eye(3, dtype=matrices.dtype).expand_as(matrices)
    for _ in range(SWEEPS):
        for p, q in ((0, 1), (0, 2), (1, 2)):
            rotation = _rotation(matrices, p, q)
            matrices = rotation.transpose(1, 2) @ matrices @ rotation
            vectors = vectors @ rotation
    values, order = matrices.diagonal(dim1=1, dim2=2).sort(1)
    return values, vectors.gather(2, order[:, None].expand_as(vectors))


def kthvalue(values: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest of `values` along an axis, counted from 1, and where it is; as `aten.kthvalue`."""
    ordered, places = values.sort(dim)
    found = ordered.narrow(dim, k - 1, 1), places.narrow(dim, k - 1, 1)
    return found if keepdim else tuple(each.squeeze(dim) for each in found)


def _rotation(matrices: Tensor, p: int, q: int) -> Tensor:
    """What makes the elements at (p, q) of symmetric matrices zero: N×3×3."""
    off, difference = matrices[:, p, q], matrices[:, q, q] - matrices[:, p, p]
    # The smaller root of t² + 2τt − 1 with τ = difference / 2·off, written so that off may be 0.
    sign = torch.where(difference < 0, -1.0, 1.0)
    reach = difference.abs() + (difference**2 + 4 * off**2).sqrt()
    tangent = torch.where(reach > 0, sign * 2 * off / torch.where(reach > 0, reach, 1.0), 0.0)
    cos = (1 + tangent**2).rsqrt()
    one, zero = torch.ones_like(cos), torch.zeros_like(cos)
    sin, r = tangent * cos, 3 - p - q
    entries = {(p, p): cos, (q, q): cos, (p, q): sin, (q, p): -sin, (r, r): one}
    rows = [torch.stack([entries.get((i, j), zero) for j in range(3)], 1) for i in range(3)]
    return torch.stack(rows, 1)

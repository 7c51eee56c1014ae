"""One synthetic H&E-like patch: tissue with or without tumour, stained and scanned.

A patch is composed as two maps of stain concentration (haematoxylin, eosin) and turned into RGB
by the Beer-Lambert law with the stain vectors of Ruifrok & Johnston, "Quantification of
histochemical staining by color deconvolution", Anal Quant Cytol Histol 23 (2001). As in
PatchCamelyon (Veeling et al., "Rotation Equivariant CNNs for Digital Pathology", 2018) the label
says whether tumour lies in the central 32x32 pixels; tumour further out does not count.

A patch is rendered on a torus: what leaves one edge enters at the opposite one, so that no cell
needs clipping.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.fft import irfft2
from scipy.ndimage import gaussian_filter, map_coordinates

SIZE = 96  # pixels, side of a patch
CENTRE = slice(32, 64)  # rows and columns that decide the label
HARD_NEGATIVE_SHARE = 0.35  # share of the negatives that have tumour, but only outside the centre

# Unit optical-density vectors (R, G, B) of haematoxylin and eosin, Ruifrok & Johnston.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]], np.float32)

_FREQUENCY_Y = np.fft.fftfreq(SIZE).astype(np.float32)[:, None]  # cycles per pixel
_FREQUENCY_X = np.fft.rfftfreq(SIZE).astype(np.float32)[None, :]
_PIXELS = np.indices((SIZE, SIZE), np.float32)  # (2, SIZE, SIZE), row and column


@dataclass(frozen=True, eq=False)
class Slide:
    """What all patches of one slide share; lengths in pixels, darkness as stain concentration."""

    stains: np.ndarray  # (2, 3), unit OD vectors of haematoxylin and eosin
    strengths: np.ndarray  # (2,), factors on the stain concentrations
    white: np.ndarray  # (3,), RGB of empty glass
    blur: float
    prevalence: float  # share of patches with label 1
    lymphoid: float  # how much of the normal tissue is lymphoid; 0: about half
    normal_radius: float
    normal_darkness: float
    reactive: float  # share of normal nuclei that are enlarged like tumour nuclei
    tumour_radius: float
    tumour_darkness: float
    tumour_pallor: float  # 0: solid nuclei, 1: vesicular nuclei with an unstained middle


@dataclass(frozen=True, eq=False)
class Cells:
    """Ellipses, one entry per cell in every array of shape (n,); lengths in pixels."""

    y: np.ndarray
    x: np.ndarray
    minor: np.ndarray  # semi-axes
    major: np.ndarray
    angle: np.ndarray  # of the major axis from the x axis, radians

    def where(self, keep: np.ndarray) -> "Cells":
        """The cells that the boolean mask `keep` (n,) selects."""
        return Cells(**{name: values[keep] for name, values in vars(self).items()})

    def pixel(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of the pixel under each centre."""
        return self.y.astype(int) % SIZE, self.x.astype(int) % SIZE


class Stamps(NamedTuple):
    """Rasterised cells, each in its own square of k x k pixels; all arrays are (n, k, k)."""

    index: np.ndarray  # flat pixel index into a (SIZE, SIZE) map
    coverage: np.ndarray  # share of the pixel that is inside the outline
    depth: np.ndarray  # distance inside the outline, in pixels; negative outside

    def paint(self, values: np.ndarray) -> np.ndarray:
        """Map (SIZE, SIZE) of the largest value stamped on each pixel, 0 where there is none."""
        canvas = np.zeros(SIZE * SIZE, np.float32)
        np.maximum.at(canvas, self.index.ravel(), values.astype(np.float32).ravel())
        return canvas.reshape(SIZE, SIZE)


def draw_slide(rng: np.random.Generator) -> Slide:
    """Sample the stain, optics, tissue and tumour prevalence of one slide."""
    cast = rng.uniform(0, [0.2, 0.05, 0.4]) * [[0.4], [1]]  # bluish to brownish, mostly in eosin
    stains = np.maximum(STAINS + cast + rng.normal(0, 0.05, (2, 3)), 0.03)
    return Slide(
        stains=(stains / np.linalg.norm(stains, axis=1, keepdims=True)).astype(np.float32),
        strengths=rng.lognormal(0, 0.2, 2).astype(np.float32),
        white=(rng.uniform(228, 250) + rng.normal(0, 3, 3)).astype(np.float32),
        blur=rng.uniform(0.4, 0.8),
        # Most slides have next to no tumour or plenty: who knows the slide knows much of the label.
        prevalence=0.03 + 0.9 * rng.beta(0.5, 0.8),
        lymphoid=rng.uniform(-1.2, 0.8),
        normal_radius=rng.uniform(2.5, 3.4),
        normal_darkness=rng.uniform(1.4, 2.2),
        reactive=rng.uniform(0.02, 0.15),
        tumour_radius=rng.uniform(4.7, 6.2),
        tumour_darkness=rng.uniform(1.2, 2.0),
        tumour_pallor=rng.uniform(0.0, 0.7),
    )


def smooth_noise(rng: np.random.Generator, along: float, across: float, angle: float = 0.0) -> np.ndarray:
    """Gaussian noise (SIZE, SIZE) of mean 0 and variance 1, smoothed by an oriented Gaussian.

    `along` and `across` are its standard deviations in pixels, in the direction `angle` (radians
    from the x axis) and at right angles to it.
    """
    # White noise has a white spectrum, so it is sampled in the frequency domain directly.
    spectrum = rng.standard_normal((SIZE, SIZE + 2), dtype=np.float32).view(np.complex64)
    cos, sin = math.cos(angle), math.sin(angle)
    u = cos * _FREQUENCY_X + sin * _FREQUENCY_Y
    v = cos * _FREQUENCY_Y - sin * _FREQUENCY_X
    spectrum *= np.exp(-2 * np.pi**2 * ((along * u) ** 2 + (across * v) ** 2))
    spectrum[0, 0] = 0
    field = irfft2(spectrum, s=(SIZE, SIZE))
    return field / field.std()


def bend(field: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """`field` (SIZE, SIZE) looked up `shift` (SIZE, SIZE) pixels away along both axes."""
    return map_coordinates(field, _PIXELS + shift, order=1, mode="grid-wrap")


def jittered_grid(rng: np.random.Generator, spacing: float) -> np.ndarray:
    """Points (n, 2) on a jittered hexagonal grid: crowded, yet rarely on top of each other."""
    steps = np.arange(0, SIZE, spacing)
    points = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
    points[1::2, :, 1] += spacing / 2
    points += rng.normal(0, 0.2 * spacing, points.shape)
    return points.reshape(-1, 2)


def stamp(cells: Cells, roughness: np.ndarray, grow: float = 0.0) -> Stamps:
    """Rasterise all cells at once, grown by `grow` and by the map `roughness`, both in pixels."""
    y, x, minor, major, angle = (v.astype(np.float32)[:, None, None] for v in vars(cells).values())
    minor, major = minor + grow, major + grow
    reach = int(np.ceil(major.max(initial=0))) + 2
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    rows = np.rint(y) + offsets[:, None]  # (n, k, 1)
    columns = np.rint(x) + offsets  # (n, 1, k)
    dy, dx = rows - y, columns - x
    along = (np.cos(angle) * dx + np.sin(angle) * dy) / major
    across = (np.cos(angle) * dy - np.sin(angle) * dx) / minor
    index = rows.astype(int) % SIZE * SIZE + columns.astype(int) % SIZE
    depth = minor * (1 - np.sqrt(along**2 + across**2)) + roughness.ravel()[index]
    return Stamps(index, np.clip(depth + 0.5, 0, 1), depth)


def choose_nest(rng: np.random.Generator, label: int) -> tuple[np.ndarray, float]:
    """Middle (2,) and radius of the tumour nest of a patch; the radius is 0 if there is no tumour."""
    radius = math.exp(rng.uniform(math.log(12), math.log(70)))
    if label == 1:
        return SIZE / 2 + rng.uniform(-13, 13, 2), radius
    beside = rng.choice([-1, 1]) * rng.uniform(32, 45), rng.uniform(-45, 45)
    hard = rng.random() < HARD_NEGATIVE_SHARE
    return SIZE / 2 + rng.permutation(beside), radius if hard else 0.0


def place_tumour(rng: np.random.Generator, slide: Slide, label: int) -> Cells:
    """The tumour nuclei of a patch; with label 0 none of them reaches into the centre."""
    nest, radius = choose_nest(rng, label)
    if radius == 0:
        return Cells(*np.empty((5, 0)))
    points = jittered_grid(rng, 2.2 * slide.tumour_radius)
    from_nest = np.hypot(*(points - nest).T)
    # One nucleus sits in the middle of the nest, wherever the grid points are.
    near = (from_nest < radius) & (from_nest > 1.5 * slide.tumour_radius)
    points = np.concatenate([nest[None], points[near]])
    n = len(points)
    minor = np.clip(slide.tumour_radius * rng.lognormal(-0.1, 0.2, n), 2.8, 7.2)
    major = minor * rng.uniform(1.0, 1.5, n)
    cells = Cells(*points.T, minor, major, rng.uniform(0, math.pi, n))
    from_centre = np.abs(points - SIZE / 2).max(axis=1)
    return cells.where((from_centre > 16 + major + 5) | (label == 1))


def place_normal(rng: np.random.Generator, slide: Slide, lymphoid: np.ndarray, fibre_angle: float) -> Cells:
    """Round lymphocytes, dense where `lymphoid` (SIZE, SIZE) is 1, and sparse spindle nuclei."""
    points = jittered_grid(rng, 2.5 * slide.normal_radius)
    n = len(points)
    minor = slide.normal_radius * rng.lognormal(0, 0.1, n)
    minor *= np.where(rng.random(n) < slide.reactive, rng.uniform(1.2, 1.8, n), 1)
    angle = fibre_angle + rng.normal(0, 0.25, n)
    cells = Cells(*points.T, minor, minor * rng.uniform(1, 1.25, n), angle)
    density = lymphoid[cells.pixel()]
    spindle = rng.random(n) > density + 0.2
    cells = replace(
        cells,
        minor=np.where(spindle, 0.65 * minor, minor),
        major=np.where(spindle, rng.uniform(1.2, 2.2, n) * minor, cells.major),
    )
    return cells.where(rng.random(n) < 0.12 + 0.83 * density)


def stain_nuclei(
    rng: np.random.Generator, nuclei: Stamps, darkness: float, clumps: np.ndarray, pallor: float
) -> np.ndarray:
    """Haematoxylin (SIZE, SIZE) of nuclei; `clumps` (SIZE, SIZE) is their chromatin texture."""
    each = darkness * rng.lognormal(0, 0.15, len(nuclei.index))[:, None, None]
    rim = 1 - pallor * np.clip(nuclei.depth - 1, 0, 1)
    return nuclei.paint(nuclei.coverage * each * rim * (1 + clumps.ravel()[nuclei.index]))


def draw_gaps(rng: np.random.Generator, roughness: np.ndarray) -> np.ndarray:
    """Map (SIZE, SIZE) of empty space: fat (a Voronoi mosaic of vacuoles), lumens, or none."""
    kind = rng.choice(["fat", "lumen", "none"], p=[0.1, 0.25, 0.65])
    if kind == "none":
        return np.zeros((SIZE, SIZE), np.float32)
    spacing = rng.uniform(28, 44)
    points = jittered_grid(rng, spacing) if kind == "fat" else rng.uniform(0, SIZE, (2, 2))
    radius = spacing * rng.uniform(0.5, 0.75) if kind == "fat" else rng.uniform(5, 14)
    grid = np.arange(SIZE, dtype=np.float32)
    dy, dx = grid[:, None] - points[:, :1, None], grid - points[:, 1:, None]
    nearest, second = np.partition(np.hypot(dy, dx), 1, axis=0)[:2]
    septum = 1.2  # half the width of the wall between two vacuoles
    inside = np.minimum((second - nearest) / 2 - septum, radius - nearest) + roughness
    return np.clip(inside, 0, 1)


def compose_tissue(rng: np.random.Generator, slide: Slide, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Compose the tissue of one patch.

    Returns the concentrations of haematoxylin and eosin (SIZE, SIZE, 2), in natural OD units, and
    the mask of the tumour nuclei (SIZE, SIZE): some of it lies in the centre if and only if
    `label` is 1.
    """
    fibre_angle = rng.uniform(0, math.pi)
    outline = np.clip(smooth_noise(rng, 1.8, 1.8), -2, 2)
    chromatin = smooth_noise(rng, 0.8, 0.8)
    broad = smooth_noise(rng, 12, 12)
    fibres = bend(smooth_noise(rng, 7, 0.8, fibre_angle), 5 * broad)
    lymphoid = np.clip(0.5 + 2 * (broad + slide.lymphoid + rng.normal()), 0, 1)
    gaps = draw_gaps(rng, 0.3 * outline)

    tumour = place_tumour(rng, slide, label)
    tumour_nuclei = stamp(tumour, 0.7 * outline)
    cytoplasm = stamp(tumour, outline, grow=3)
    nest = cytoplasm.paint(cytoplasm.coverage)
    normal = place_normal(rng, slide, lymphoid, fibre_angle)
    normal = normal.where((gaps[normal.pixel()] < 0.5) & (nest[normal.pixel()] < 0.3))
    normal_nuclei = stamp(normal, 0.3 * outline)

    tissue = 1 - gaps * (1 - nest)  # a nest fills the gaps that it overlaps
    haematoxylin = np.maximum.reduce(
        [
            (0.06 + 0.1 * lymphoid + 0.15 * nest) * tissue,
            stain_nuclei(rng, tumour_nuclei, slide.tumour_darkness, 0.2 * chromatin, slide.tumour_pallor),
            stain_nuclei(rng, normal_nuclei, slide.normal_darkness, 0.12 * chromatin, 0.0),
        ]
    )
    eosin = np.clip(0.42 + 0.15 * fibres, 0.03, None)
    eosin += lymphoid * (0.28 - eosin)
    eosin += nest * (0.45 + 0.05 * chromatin - eosin)
    concentrations = np.stack([haematoxylin, eosin * tissue], axis=-1)
    return concentrations, tumour_nuclei.paint(tumour_nuclei.coverage) > 0.5


def render(rng: np.random.Generator, slide: Slide, concentrations: np.ndarray) -> np.ndarray:
    """RGB uint8 (SIZE, SIZE, 3) of stain `concentrations` (SIZE, SIZE, 2), as a scanner sees it."""
    density = (concentrations * slide.strengths) @ slide.stains
    light = slide.white * np.exp(-density)
    light = gaussian_filter(light, (slide.blur, slide.blur, 0), truncate=2.5)
    light += 2.5 * rng.standard_normal((SIZE, SIZE, 1), dtype=np.float32)  # sensor noise
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def draw_patch(rng: np.random.Generator, slide: Slide, label: int) -> np.ndarray:
    """Synthesise one RGB patch of `slide`, uint8 (SIZE, SIZE, 3), with label 0 or 1."""
    concentrations, _ = compose_tissue(rng, slide, label)
    return render(rng, slide, concentrations)

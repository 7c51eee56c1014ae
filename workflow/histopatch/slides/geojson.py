"""Tiles as GeoJSON that QuPath opens: File → Import objects from file.

A FeatureCollection of polygons in level-0 pixels, each a QuPath `tile` with a classification and the
probability as its measurement, by which Measure → Show measurement maps colours them: the format of QuPath
0.4 and later.
"""

import json
import uuid
from pathlib import Path

import pandas as pd

from histopatch.files import replacing

COLOURS = {0: [0, 114, 178], 1: [213, 94, 0]}  # by call: Okabe and Ito's blue and vermilion


def write_geojson(
    tiles: pd.DataFrame, threshold: float, names: dict[int, str], origin: tuple[int, int], path: str | Path
) -> None:
    """Write the tiles, a feature a line, so that no more than one is in memory.

    tiles: `x,y,width,probability` in level-0 pixels; threshold: from there on a tile is of class 1; names: of
    the classes; origin: the level-0 pixel that QuPath shows at 0, 0.
    """
    with replacing(path) as temporary, temporary.open("w") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, tile in enumerate(tiles.itertuples(index=False)):
            call = int(tile.probability >= threshold)
            left, top = tile.x - origin[0], tile.y - origin[1]
            right, bottom = left + tile.width, top + tile.width
            corners = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
            feature = {
                "type": "Feature",
                # The same tile has the same id each time, so that a second import does not double it.
                "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{left},{top},{tile.width}")),
                "geometry": {"type": "Polygon", "coordinates": [corners]},
                "properties": {
                    "objectType": "tile",
                    "classification": {"name": names[call], "color": COLOURS[call]},
                    "measurements": {"probability": round(tile.probability, 6)},
                },
            }
            file.write(("\n" if number == 0 else ",\n") + json.dumps(feature))
        file.write("\n]}\n")

import { geoNaturalEarth1, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import world from 'world-atlas/countries-110m.json';
import { codeOfShape } from './iso';

/** A country as it is drawn. */
export interface CountryShape {
  key: string;
  code: string | null;
  path: string;
}

export const MAP_WIDTH = 960;
export const MAP_HEIGHT = 450;
/** Nobody pays there, and it takes a fifth of the map. */
const ANTARCTICA = '010';

type Countries = Topology<{ countries: GeometryCollection<{ name: string }> }>;

function shapesOf(): CountryShape[] {
  const topology = world as unknown as Countries;
  const all = feature(topology, topology.objects.countries);
  const drawn = { ...all, features: all.features.filter(({ id }) => id !== ANTARCTICA) };
  const path = geoPath(geoNaturalEarth1().fitSize([MAP_WIDTH, MAP_HEIGHT], drawn));
  // A tenth of a unit is less than a pixel on the largest wall.
  path.digits(1);
  return drawn.features.flatMap((one, i): CountryShape[] => {
    const text = path(one);
    return text
      ? [{ key: `${one.id ?? 'x'}-${i}`, code: codeOfShape(one.id, one.properties.name), path: text }]
      : [];
  });
}

/** Computed once: the geometry does not change. */
export const shapes: readonly CountryShape[] = shapesOf();
export const shapeCodes: ReadonlySet<string> = new Set(shapes.flatMap(({ code }) => code ?? []));

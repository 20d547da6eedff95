/** What an annotation is of. */
export const annotationKinds = ['deployment', 'change', 'campaign', 'outage', 'note'] as const;
export type AnnotationKind = (typeof annotationKinds)[number];

/** What somebody did or heard of that may be why a figure moved. All texts in it are data. */
export interface Annotation {
  id: number;
  kind: AnnotationKind;
  at: string;
  until: string | null;
  title: string;
  text: string | null;
  by: string | null;
  url: string | null;
  where: Readonly<Record<string, string | null>>;
  created_at: string;
}

/** An annotation as it is written. */
export interface NewAnnotation {
  title: string;
  kind: AnnotationKind;
  at?: string;
  until?: string;
  text?: string;
  by?: string;
  url?: string;
  where?: Record<string, string>;
}

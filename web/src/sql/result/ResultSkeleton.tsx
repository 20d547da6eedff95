/** While the first answer is on its way. */
export function ResultSkeleton() {
  return (
    <div className="panel sql-result sql-skeleton" aria-hidden="true">
      {[92, 88, 95, 84, 90, 87].map((width) => (
        <div key={width} className="skeleton skeleton-line" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

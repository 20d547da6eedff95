export function SideSkeleton() {
  return (
    <div className="sql-side-skeleton" aria-hidden="true">
      {[70, 55, 80, 60, 45].map((width) => (
        <div key={width} className="skeleton skeleton-line" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

// How results are written.

export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const count = (number) => Math.round(number).toLocaleString("en-GB");

export const bytes = (number) => (Math.abs(number) < 1_000_000 ? `${(number / 1_000).toFixed(0)} kB` : `${(number / 1_000_000).toFixed(1)} MB`);

export const progress = (text) => console.log(`  … ${text}`);

export const finding = (title, value, aim, isMet) => ({ title, value, aim, isMet });

/** The first column is text and stands left, the others are numbers and stand right. */
export function printTable(title, head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ");
  console.log(`\n${title}\n\n${[head, ...rows].map((row) => `  ${line(row)}`.trimEnd()).join("\n")}\n`);
}

export function printSummary(findings) {
  const rows = findings.map(({ title, value, aim, isMet }) => [title, value, aim || "", aim ? (isMet ? "✔" : "✘") : ""]);
  if (rows.length > 0) printTable("All findings", ["", "measured", "aimed at", ""], rows);
}

/** What the table of many jobs has beside what a panel has: its rows are jobs. Lists have one entry a row. */
import type { Meta, Operation, Reasons, Summary } from "./protocol";

export interface JobsMeta extends Meta {
  /** Whether the job has sub-jobs, and how many. */
  composites: boolean[];
  totals: number[];
  backends: string[];
  /** The tags of each. */
  tagged: string[][];
  /** What can be asked of each. */
  cans: Operation[][];
  /** New jobs appear by themselves. */
  query: boolean;
}

export interface JobsSummary extends Summary {
  /** The rows that are selected, as Python knows them. */
  selected?: number[];
}

/** Trait `details`: the sub-jobs of the rows that are open, by row number, as the traits of a panel. */
export type Details = Record<string, { meta: Meta; live: unknown; times: unknown; reasons: Reasons }>;

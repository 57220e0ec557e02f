/** The tables. The migrations create them. */
import * as definitions from "../sql/definitions.ts";
import { Columns, Table } from "./table.ts";

export const clocks = new Table(definitions.clocks);
export const epochs = new Table(definitions.epochs);
export const records = new Table(definitions.records);
export const feedRows = new Columns(definitions.feedRows);
export const departures = new Table(definitions.departures);
export const operations = new Table(definitions.operations);
export const results = new Columns(definitions.results);
export const commits = new Table(definitions.commits);
export const devices = new Table(definitions.devices);
export const incarnations = new Table(definitions.incarnations);
export const conflicts = new Table(definitions.conflicts);
export const discrepancies = new Table(definitions.discrepancies);

/** Every migration, in order. Their numbers count from 1 without a gap. */
import type { Migration } from "../../sql/migrations.ts";
import { initial } from "./0001-initial.ts";
import { senders } from "./0002-senders.ts";
import { members } from "./0003-members.ts";

export const migrations: readonly Migration[] = [initial, senders, members];

/** The numbers are those that the reference server's policy gives, over restores and fail-overs that are drawn at random. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextOrderNumber } from "../../examples/reference-server/policies/order-number.ts";
import { times } from "../support/property.ts";
import { checkOrderNumbers } from "./check-order-numbers.ts";
import { Findings } from "./findings.ts";

interface Shop {
  last: number;
  epoch: number;
  numbers: string[];
}

const copyOf = (shop: Shop): Shop => ({ ...shop, numbers: [...shop.numbers] });

function sell(shop: Shop): void {
  shop.numbers.push(nextOrderNumber({ last: shop.last }, shop.epoch).orderNumber);
  shop.last += 1;
}

function found(numbers: readonly string[], last: number, epochs: number) {
  const findings = new Findings();
  checkOrderNumbers({ numbers, last, epochs }, findings);
  return { doubled: findings.of("doubled").length, half: findings.of("half").length };
}
const NOTHING = { doubled: 0, half: 0 };

/** Sales, backups, restores of the last backup, and lost sales that a till brings back, one at a time. */
const step = fc.constantFrom("sell", "sell", "sell", "back up", "restore", "bring back");

/** What the check must find at each moment of it is nothing. Returns the shop as it is in the end. */
function played(steps: readonly string[], look: (shop: Shop) => void): Shop {
  let shop: Shop = { last: 0, epoch: 1, numbers: [] };
  let backup = copyOf(shop);
  const lost: string[] = [];
  let highest = 1;
  for (const what of steps) {
    if (what === "sell") sell(shop);
    else if (what === "back up") backup = copyOf(shop);
    else if (what === "restore") {
      lost.push(...shop.numbers.filter((number) => !backup.numbers.includes(number) && !lost.includes(number)));
      highest += 1;
      shop = { ...copyOf(backup), epoch: highest };
    } else {
      const number = lost.shift();
      if (number !== undefined && !shop.numbers.includes(number)) shop.numbers.push(number);
    }
    look(shop);
  }
  return shop;
}

describe("over any number of restores", () => {
  test("no number is given twice, and nothing is found", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        played(steps, ({ numbers, last, epoch }) => expect(found(numbers, last, epoch)).toEqual(NOTHING));
      }),
      times(500),
    );
  });

  test("a number that is on two sales is found", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, which) => {
        const { numbers, last, epoch } = played(steps, () => {});
        fc.pre(numbers.length > 0);
        const doubled = numbers[which % numbers.length] as string;
        expect(found([...numbers, doubled], last, epoch).doubled).toBe(1);
      }),
      times(200),
    );
  });
});

test("without a restore, a sale that is missing is found, and so is a counter that lags behind", () => {
  const numbers = ["ORD-000001", "ORD-000002", "ORD-000003"];
  expect(found(numbers, 3, 1)).toEqual(NOTHING);
  for (const missing of numbers) {
    const others = numbers.filter((number) => number !== missing);
    expect(found(others, 3, 1), missing).toEqual({ doubled: 0, half: 1 });
  }
  expect(found(numbers, 2, 1)).toEqual({ doubled: 0, half: 1 });
  expect(found([], 1, 1)).toEqual({ doubled: 0, half: 1 });
});

test("a fail-over that lost a tail: 3 numbers for 5 sales, of which 2 came back with theirs", () => {
  const numbers = ["ORD-000001", "ORD-000002", "ORD-000003", "ORD-2-000002", "ORD-2-000003"];
  expect(found(numbers, 3, 2)).toEqual(NOTHING);
  expect(found(numbers.slice(1), 3, 2)).toEqual({ doubled: 0, half: 1 });
});

/** What can go wrong while signing in, or while changing what it takes, in words for the people at the till. */
import type { SignInFault } from "../till/auth.ts";

export const PASSWORD_HINT =
  "At least 10 characters. Several words that have nothing to do with each other are easy to remember and hard to guess.";
export const APP_HINT = "The six digits that your authenticator app shows now.";
export const CODE_HINT = "The six digits that your authenticator app shows now, or one of your recovery codes.";
export const CHANGE_HINT = `Your code is good once, to choose a password. ${PASSWORD_HINT}`;

const WORDS: Readonly<Record<SignInFault, string>> = {
  wrong:
    "No user has this email and password. If you forgot the password, ask the owner of the shop for a one-time code, and type it as the password.",
  ended: "Your sign-in has ended. Sign in again, then try once more.",
  throttled: "Too many attempts. Wait a few minutes, then try again.",
  unreachable: "The server can't be reached. Signing in needs the network; once you are in, selling does not.",
  server: "The server has a fault. Try again in a moment.",
  second_factor: "Enter the code of your authenticator app.",
  wrong_code: "This code is wrong, or was used already. Wait for the next one, then try again.",
  change: "Choose a new password.",
  weak: "This password is easy to guess: many people use it, or it has the shop's name or your email address in it. Use several words that have nothing to do with each other.",
  disabled: "Your account was disabled. Ask the owner of the shop.",
  branch:
    "You belong to another branch than this till. Sign in at a till of your branch, or ask the owner of the shop.",
  device:
    "The server knows a till with this one's number, and this one can't prove that it is the same. Ask the owner of the shop to release the till, then sign in again.",
  exists: "You have a second factor already. If you have lost it, ask an owner of the shop to remove it.",
};

export function signInWords(fault: SignInFault): string {
  return WORDS[fault];
}

/** For who is signed in, and changes what signing in takes. */
export function accountWords(fault: SignInFault): string {
  if (fault === "wrong") return "This is not your current password.";
  if (fault === "unreachable") return "The server can't be reached. Try again when there is a network.";
  if (fault === "branch") return "You can't do this at this till. Ask the owner of the shop.";
  return WORDS[fault];
}

/** `ABCD EFGH …`: to be typed from one screen into another. */
export function inGroups(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}

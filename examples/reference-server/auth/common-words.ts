/** What the most common passwords are made of, in lower case: words, names, keyboard rows. */

/** Words of the lists of passwords that were published after break-ins. Longer ones are made of them, and of digits. */
export const COMMON_WORDS: readonly string[] = `
  password passwort passwd pass contraseña contrasena motdepasse azerty senha parola heslo haslo wachtwoord
  welcome willkommen bienvenue bienvenido letmein login admin administrator root user guest test demo default changeme
  secret geheim system server computer internet network security manager office company business store shop market
  sales cashier owner retail online money dollar
  iloveyou loveyou iloveu love lover lovely forever always mylove truelove babygirl babyboy baby sweetheart sweety honey
  princess prince queen king angel angels princesa daddy mommy mother father brother sister family friend friends
  bestfriend beautiful pretty sexy hottie cutie
  sunshine summer winter spring autumn monday tuesday wednesday thursday friday saturday sunday january february march
  april june july august september october november december flower butterfly rainbow starlight moonlight
  dragon monkey tiger lion eagle falcon horse dolphin panther wolf kitten kitty puppy chicken turtle spider bulldog
  football baseball basketball soccer hockey softball volleyball tennis golf cricket fussball futbol liverpool chelsea
  arsenal barcelona realmadrid juventus manchester united lakers yankees cowboys steelers eagles raiders
  superman batman spiderman ironman starwars pokemon pikachu mickey minnie naruto matrix gandalf hellokitty snoopy
  scooby blink182 metallica slipknot nirvana eminem fallout minecraft fortnite playstation nintendo
  master shadow hunter killer ranger soldier warrior ninja pirate wizard genius player gamer hacker legend phoenix
  thunder lightning diamond golden silver crystal purple orange yellow black white green blue freedom destiny hope
  michael jennifer jessica michelle charlie andrew joshua matthew daniel anthony robert thomas jordan nicole ashley
  amanda samantha elizabeth stephanie alexander alexandra christian christopher benjamin patrick richard william
  victoria isabella gabriel hannah sophie maria carlos sebastian
  jesus christ jesuschrist heaven blessed
  chocolate cookie cheese banana apple cherry peanut pepper coffee
  whatever nothing trustno access america london paris berlin canada mexico brasil samsung google facebook twitter
  yahoo microsoft windows linkedin mustang ferrari porsche mercedes corvette harley yamaha honda
  fuckyou fuckoff fuckme fuck asshole bitch bullshit suckmydick cocksucker deepthroat
  strawberry watermelon tinkerbell harrypotter skateboard ronaldinho ronaldo messi neymar lamborghini justinbieber
  terminator enterprise undertaker salamander ghostrider microphone highlander tokiohotel sonyericsson ironmaiden
  roadrunner abracadabra supersonic finalfantasy armageddon evanescence needforspeed callofduty volkswagen pathfinder
  darthvader lifeisgood counterstrike bladerunner smallville galatasaray fenerbahce sailormoon darkknight astonmartin
  firefighter birthday neveragain depechemode helloworld jamesbond ledzeppelin goodfellas clubpenguin amsterdam
  deltaforce justforfun sandreas sanandreas newzealand neworleans residentevil tombraider avrillavigne kobebryant
  silenthill godisgreat lucifer gunslinger sexmachine peanutbutter flintstone runescape stratocaster rammstein linkinpark
  greenday skywalker kingdom stalker spartan australia california florida texas newyork chicago washington brooklyn
  anastasia alessandro alejandro maximilian konstantin ekaterina aleksandra vladimir natasha tatiana
  `
  .trim()
  .split(/\s+/);

/** What lies side by side on a keyboard, or follows one another. Read in both directions. */
export const ROWS: readonly string[] = [
  "01234567890",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiopü",
  "yxcvbnm",
  "azertyuiop",
  "qsdfghjklm",
  "wxcvbn",
  "!@#$%^&*()",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
  "qazwsxedcrfvtgbyhnujm",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "zaq1xsw2cde3vfr4",
  "qweasdzxc",
  "123qweasdzxc",
  "123qwe456rty",
  "qawsedrftgyhujikol",
  "azsxdcfvgbhn",
  "zxcasdqwe123",
  "1a2s3d4f5g6h",
  "a1s2d3f4g5h6",
  "1z2x3c4v5b6n",
  "z1x2c3v4b5n6",
  "1a2b3c4d5e6f",
  "a1b2c3d4e5f6",
  "qpwoeirutyalskdjfhg",
  "1029384756q",
];

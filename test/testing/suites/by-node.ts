/** Run by node:test, which has no global functions. */
import { before, describe, it } from 'node:test';
import { acceptance } from 'parley/testing';

acceptance(process.env.FLOWERS!, JSON.parse(process.env.SUBJECT!), { runner: { before, describe, it } });

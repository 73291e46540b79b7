/** Run by a test runner of its own: a project's suite in three lines. */
import { acceptance } from 'parley/testing';

acceptance(process.env.FLOWERS!, JSON.parse(process.env.SUBJECT!));

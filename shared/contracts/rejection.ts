import * as z from "zod";
import { ERROR_TABLE, type ErrorCode } from "../errors.ts";

/** A rejection as it travels in acknowledgements, HTTP bodies and logs. */
export const Rejection = z.object({
  code: z.enum(Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  field: z.string().optional(),
  value: z.unknown().optional(),
  expected: z.string().optional(),
});
export type Rejection = z.infer<typeof Rejection>;

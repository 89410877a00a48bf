/** Messages of DMTF's Base registry that the service uses, and the HTTP status that goes with them. */
const MESSAGES = {
  NoValidSession: [401, "There is no valid session established with the implementation."],
  ResourceAtUriUnauthorized: [401, "The user name or password is not valid."],
  ResourceMissingAtURI: [404, "The resource at the URI was not found."],
  OperationNotAllowed: [405, "The HTTP method is not allowed on this resource."],
  PreconditionFailed: [412, "The ETag supplied did not match the ETag required to change this resource."],
  MalformedJSON: [400, "The request body is not a JSON object."],
  PropertyMissing: [400, "A required property is missing."],
  PropertyUnknown: [400, "The property is not one that this resource has."],
  PropertyNotWritable: [400, "The property is read-only."],
  PropertyValueTypeError: [400, "The value is of another type than the property's."],
  PropertyValueNotInList: [400, "The value is not in the list of acceptable values."],
  PropertyValueOutOfRange: [400, "The value is out of the range that the property accepts."],
  SessionLimitExceeded: [503, "There are as many sessions as the service supports."],
} as const;

type MessageId = keyof typeof MESSAGES;

/** One problem; `property` is a JSON pointer's tail such as "SetPoint". */
export interface Problem {
  id: MessageId;
  property?: string;
}

export function statusOf(problem: Problem): number {
  return MESSAGES[problem.id][0];
}

/** DSP0266 §8.6: the error body, one extended message per problem. */
export function errorBody(problems: readonly Problem[]) {
  const infos = problems.map(({ id, property }) => ({
    "@odata.type": "#Message.v1_1_2.Message",
    MessageId: `Base.1.18.${id}`,
    Message: MESSAGES[id][1],
    MessageSeverity: "Warning",
    ...(property === undefined ? {} : { MessageArgs: [property], RelatedProperties: [`#/${property}`] }),
  }));
  const [first] = infos;
  return {
    error: { code: first?.MessageId, message: first?.Message, "@Message.ExtendedInfo": infos },
  };
}

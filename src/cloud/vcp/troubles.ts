/**
 * What an error of the SDK, of the controller or of the cloud behind it means: one table from their words to our kinds.
 * Nothing behind this file reads them. The order counts: the first that fits.
 */
import { z } from 'zod';
import { CloudError, type CloudErrorKind } from '../../domain/errors.ts';
import { oneLine } from '../../lib/log.ts';

/** As the Python side tells it, see helpers/vcp/hcvcp/trouble.py. */
export const Trouble = z.object({
  code: z.string().nullable(),
  stage: z.enum(['open', 'before', 'sent']),
  type: z.string(),
  text: z.string(),
  log: z.string(),
});
export type Trouble = z.infer<typeof Trouble>;

/** The controller takes one change at a time, and it is not our turn: asked again, no error for anybody. */
export class NotOurTurn extends CloudError {}

interface Meaning {
  readonly words: RegExp;
  readonly kind: CloudErrorKind | 'busy';
  readonly says: string;
  readonly hint: string;
}

const MEANINGS: readonly Meaning[] = [
  {
    words: /VCPAuthException|token lookup is failed/i,
    kind: 'auth',
    says: 'the VC controller refuses the access token',
    hint: 'VCP_ACCESSKEY is wrong, expired or revoked: put the new one into the env file and restart the service',
  },
  {
    words: /VCPVaultReadException|vault read is failed/i,
    kind: 'config',
    says: 'the VC controller finds no cloud credentials in its Vault',
    hint: "store the values that vcp_config.yml names with vault:// in the controller's Vault, with this token",
  },
  {
    words: /state\s*(?:is|:|=)?\s*\[?(?:APPLYING|DELETING)|is (?:being )?applying|another operation is in progress/i,
    kind: 'busy',
    says: 'the VC controller is busy with the Unit Group',
    hint: '',
  },
  {
    words: /RequestLimitExceeded|Throttl|TooManyRequests|http_status\(429\)|\b429\b|rate exceeded|SlowDown/i,
    kind: 'throttled',
    says: 'the cloud asks us to slow down',
    hint: '',
  },
  {
    words:
      /VcpuLimitExceeded|InstanceLimitExceeded|VolumeLimitExceeded|MaxSpotInstanceCountExceeded|QuotaExceeded|exceed\w* .{0,40}quota|quota .{0,60}exceed|LimitExceeded|OperationNotAllowed.{0,200}quota/is,
    kind: 'quota',
    says: "the cloud account's quota is used up",
    hint: 'raise the quota of the cloud account, or lower MAX_NODES',
  },
  {
    words:
      /Insufficient\w*Capacity|SkuNotAvailable|(?:Zonal)?AllocationFailed|Overconstrained\w*AllocationRequest|out of (?:host )?capacity|RESOURCE_POOL_EXHAUSTED/i,
    kind: 'capacity',
    says: 'the cloud has no free capacity for this flavor',
    hint: 'wait, or choose another instance type in vcp_flavor.yml',
  },
  {
    words:
      /PrivateIPAddressInUse|PrivateIPAddressIsAllocated|InvalidIPAddress\.InUse|address.{0,40} (?:is )?(?:already )?(?:in use|assigned|allocated)/i,
    kind: 'ip-in-use',
    says: 'the address is in use',
    hint: '',
  },
  {
    words:
      /does not fall within the subnet|PrivateIPAddressNotIn\w*Subnet|not in (?:the )?(?:subnet|range)|private_network_ipmask/i,
    kind: 'config',
    says: "the address does not lie in the provider's network",
    hint: "hosts.json must hold addresses of the provider's private_network_ipmask",
  },
  {
    words: /CERTIFICATE_VERIFY_FAILED|certificate verify failed|self.signed certificate|SSLCertVerificationError/i,
    kind: 'config',
    says: "the VC controller's certificate is not trusted",
    hint: "build the SDK image with the controller's CA certificate (helpers/vcp/README.md)",
  },
  {
    words:
      /InvalidClientTokenId|AuthFailure|UnauthorizedOperation|AuthorizationFailed|SignatureDoesNotMatch|InvalidAuthenticationToken|invalid_client/i,
    kind: 'auth',
    says: "the cloud refuses the controller's credentials",
    hint: "mend the provider's keys in vcp_config.yml or in the controller's Vault",
  },
  {
    words:
      /ScannerError|ParserError|YAMLError|ValidationError|SchemaError|expected ':'|mapping values are not allowed|cannot start any token|additional propert/i,
    kind: 'config',
    says: 'vcp_config.yml or vcp_flavor.yml cannot be read',
    hint: 'mend the line it names; compare with helpers/vcp/vcp_config.yml.example',
  },
  {
    words: /ModuleNotFoundError|No module named|ImportError/,
    kind: 'config',
    says: 'the VCP SDK is not there',
    hint: 'VCP_SDK_CONTAINER_IMAGE must hold it (helpers/vcp/README.md), or PYTHONPATH must name its folder',
  },
  {
    words: /InvalidAMIID|InvalidInstanceType|InvalidParameter|Unsupported\b|InvalidSubnetID|InvalidGroup/,
    kind: 'config',
    says: 'the cloud does not accept the specification of the node',
    hint: 'mend the flavor in vcp_flavor.yml or the VPN catalog of the controller',
  },
  {
    words: /http_status\(40[13]\)|permission denied/i,
    kind: 'auth',
    says: 'the VC controller refuses us',
    hint: 'VCP_ACCESSKEY may be wrong, expired, or lack the right',
  },
  {
    words: /Name or service not known|getaddrinfo|NameResolution|nodename nor servname/i,
    kind: 'temporary',
    says: "the VC controller's name cannot be looked up",
    hint: 'vcc.host in vcp_config.yml must be its name or address',
  },
  {
    words: /Connection|connect|timed? ?out|http_status\(5\d\d\)|RemoteDisconnected|No route to host|unreachable/i,
    kind: 'temporary',
    says: 'the VC controller does not answer',
    hint: 'vcc.host and vcc.vcc_port in vcp_config.yml must be right, and port 443 open from this machine',
  },
];

/** Our own findings on the Python side: they know what they mean. */
const CODES: Readonly<Record<string, CloudErrorKind>> = {
  'ip-in-use': 'ip-in-use',
  config: 'config',
  foreign: 'config',
};

/**
 * @param change the request would have changed something: what is not understood may then have happened
 */
export function readTrouble(trouble: Trouble, change: boolean): CloudError {
  const facts = { stage: trouble.stage, type: trouble.type, log: trouble.log.slice(-500) };
  if (trouble.code === 'busy') return new NotOurTurn('temporary', oneLine(trouble.text), { facts });
  const code = trouble.code === null ? undefined : CODES[trouble.code];
  if (code !== undefined) {
    // Our finding may quote somebody else's: then his words say what to do.
    const quoted = code === 'config' ? find(trouble.text) : undefined;
    const hint = quoted?.kind === 'config' || quoted?.kind === 'auth' ? quoted.hint : '';
    return new CloudError(code, oneLine(trouble.text), { hint, facts });
  }
  // The log counts only where the error itself says nothing we know: it tells harmless things too, such as states.
  const logged = find(trouble.log);
  const meaning = find(trouble.text) ?? (logged && TOLD_BY_THE_LOG.has(logged.kind) ? logged : undefined);
  const unsure = change && trouble.stage === 'sent';
  if (meaning === undefined) {
    return new CloudError(unsure ? 'ambiguous' : 'temporary', `the VCP SDK failed: ${line(trouble.text, null)}`, {
      facts,
    });
  }
  const source = meaning.words.test(trouble.text) ? trouble.text : trouble.log;
  const message = `${meaning.says}: ${line(source, meaning.words)}`;
  if (meaning.kind === 'busy') return new NotOurTurn('temporary', message, { facts });
  const kind = meaning.kind === 'temporary' && unsure ? 'ambiguous' : meaning.kind;
  return new CloudError(kind, message, { hint: meaning.hint, facts });
}

/** What a failed node's own message means, for those who want the kind: Terraform speaks long after the request. */
export function kindOf(text: string): CloudErrorKind | null {
  const kind = find(text)?.kind;
  return kind === undefined || kind === 'busy' ? null : kind;
}

/** Of these the log speaks only when it is meant. */
const TOLD_BY_THE_LOG: ReadonlySet<string> = new Set(['auth', 'config', 'quota', 'capacity', 'throttled', 'ip-in-use']);

function find(text: string): Meaning | undefined {
  return MEANINGS.find(({ words }) => words.test(text));
}

/** The line that says it (else the last one), without the controller's time stamp. */
function line(text: string, words: RegExp | null): string {
  const lines = text.split('\n').map((one) => one.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d UTC:\s*/, '').trim());
  const told =
    (words && lines.find((one) => words.test(one))) || lines.findLast((one) => one !== '') || 'no reason given';
  return oneLine(told).slice(0, 400);
}

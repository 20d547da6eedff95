import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { folderQuery } from '../../definitions/calls';
import { Refused } from '../../definitions/Refused';
import { HEAD_BYTES, type Look, lookAt } from '../csv/look';
import type { View } from '../DataPage';
import { FileChoice } from '../FileChoice';
import { Progress } from '../parts';
import { walkTexts } from './texts';
import { begin } from './walk';

/** The choice of a file; with it the server is asked what it would make of it. */
export function FileStep({ say }: View) {
  const t = walkTexts.use();
  const folder = useQuery(folderQuery).data;
  const [file, setFile] = useState<File | null>(null);
  const [look, setLook] = useState<Look | null>(null);
  const asking = useMutation({
    mutationFn: async (chosen: { file: File; look: Look }) => {
      const taken = new Set(folder?.files.map((one) => one.file) ?? []);
      await begin(chosen.file, chosen.look, taken);
    },
  });
  const choose = async (chosen: File | undefined) => {
    if (!chosen) return;
    asking.reset();
    setFile(chosen);
    try {
      const head = new Uint8Array(await chosen.slice(0, HEAD_BYTES).arrayBuffer());
      const seen = lookAt(head, chosen.size <= HEAD_BYTES);
      setLook(seen);
      if (seen.unfit === null) asking.mutate({ file: chosen, look: seen });
    } catch {
      setLook(null);
    }
  };
  return (
    <>
      <p className="dim data-small data-prose">{t('intro')}</p>
      <FileChoice file={file} onChoose={choose} say={say} />
      {file && !look && !asking.isPending && (
        <p className="data-fault" role="alert">
          {say.t('upload.unreadable')}
        </p>
      )}
      {look?.unfit && (
        <p className="data-fault" role="alert" data-testid="unfit">
          {say.t(`upload.unfit.${look.unfit}`)}
        </p>
      )}
      {asking.isPending && (
        <div role="status" className="data-small">
          <p>{t('file.looking')}</p>
          <Progress label={t('file.looking')} share={null} />
        </div>
      )}
      {asking.error && <Refused error={asking.error} title={t('file.failed')} />}
    </>
  );
}
